//! Reading devices: plan of reads, scaling, quality, reconnect.
