//! strikes
