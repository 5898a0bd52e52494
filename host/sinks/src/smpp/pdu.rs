//! The PDUs of SMPP 3.4 that an ESME meets (sections 3.2, 4 and 5), written and read.
//!
//! ```text
//! | command_length u32 | command_id u32 | command_status u32 | sequence_number u32 | body … |
//! ```
//!
//! Writing is strict. Reading is tolerant: an SMSC in the field leaves out the NUL of the last
//! string, the last fields, or sends TLVs with wrong lengths; what can be read is used, because a
//! receipt or a reply that is thrown away is lost for good. Nothing here can panic or read past
//! the PDU: [`super::framing`] hands over the octets of exactly one.

/// Names of the `command_id`s (section 5.1.2.1). A response is its request with the top bit set.
pub(super) mod command {
    pub(crate) const RESPONSE: u32 = 0x8000_0000;
    pub(crate) const GENERIC_NACK: u32 = 0x8000_0000;
    pub(crate) const SUBMIT_SM: u32 = 0x04;
    pub(crate) const DELIVER_SM: u32 = 0x05;
    pub(crate) const UNBIND: u32 = 0x06;
    pub(crate) const BIND_TRANSCEIVER: u32 = 0x09;
    pub(crate) const OUTBIND: u32 = 0x0B;
    pub(crate) const ENQUIRE_LINK: u32 = 0x15;
    pub(crate) const ALERT_NOTIFICATION: u32 = 0x102;
    pub(crate) const DATA_SM: u32 = 0x103;
}

/// Tags of the TLVs (section 5.3.2).
pub(super) mod tag {
    pub(crate) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub(crate) const SAR_MSG_REF_NUM: u16 = 0x020C;
    pub(crate) const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    pub(crate) const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    pub(crate) const NETWORK_ERROR_CODE: u16 = 0x0423;
    pub(crate) const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub(crate) const MESSAGE_STATE: u16 = 0x0427;
}

/// The 16 octets before every body, without the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
}

/// An optional parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tlv {
    pub(super) tag: u16,
    pub(super) value: Vec<u8>,
}

/// An address with its type of number and numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Address {
    pub(super) ton: u8,
    pub(super) npi: u8,
    pub(super) digits: String,
}

/// `bind_transceiver` (section 4.1.5).
#[derive(Debug, Clone)]
pub(super) struct Bind<'a> {
    pub(super) system_id: &'a str,
    pub(super) password: &'a str,
    pub(super) system_type: &'a str,
}

/// `submit_sm` (section 4.4.1). Fields that Andon never sets are written as zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submit {
    pub(super) service_type: String,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) esm_class: u8,
    pub(super) validity_period: String,
    pub(super) registered_delivery: u8,
    pub(super) data_coding: u8,
    /// At most 254 octets; longer ones belong into the TLV `message_payload`.
    pub(super) short_message: Vec<u8>,
    pub(super) tlvs: Vec<Tlv>,
}

/// What `deliver_sm` (section 4.6.1) and `data_sm` (section 4.7.1) bring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Deliver {
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) esm_class: u8,
    pub(super) data_coding: u8,
    /// `short_message`, or `message_payload` where that is given.
    pub(super) octets: Vec<u8>,
    pub(super) tlvs: Vec<Tlv>,
}

/// A whole PDU without body.
pub(super) fn bare(id: u32, status: u32, sequence: u32) -> Vec<u8> {
    with_body(id, status, sequence, &[])
}

/// The answer to `deliver_sm` or `data_sm`: its `message_id` is unused and NUL.
pub(super) fn deliver_response(request: u32, status: u32, sequence: u32) -> Vec<u8> {
    with_body(request | command::RESPONSE, status, sequence, &[0])
}

impl Bind<'_> {
    /// The whole PDU.
    pub(super) fn encode(&self, sequence: u32) -> Vec<u8> {
        let mut body = Vec::with_capacity(64);
        put_string(&mut body, self.system_id);
        put_string(&mut body, self.password);
        put_string(&mut body, self.system_type);
        // interface_version 3.4, addr_ton, addr_npi, empty address_range.
        body.extend([0x34, 0, 0, 0]);
        with_body(command::BIND_TRANSCEIVER, 0, sequence, &body)
    }
}

impl Submit {
    /// The whole PDU.
    pub(super) fn encode(&self, sequence: u32) -> Vec<u8> {
        let mut body = Vec::with_capacity(64 + self.short_message.len());
        put_string(&mut body, &self.service_type);
        for address in [&self.source, &self.destination] {
            body.extend([address.ton, address.npi]);
            put_string(&mut body, &address.digits);
        }
        // protocol_id, priority_flag, empty schedule_delivery_time.
        body.extend([self.esm_class, 0, 0, 0]);
        put_string(&mut body, &self.validity_period);
        // replace_if_present_flag before data_coding, sm_default_msg_id after it.
        body.extend([self.registered_delivery, 0, self.data_coding, 0]);
        let length = u8::try_from(self.short_message.len()).unwrap_or(u8::MAX);
        body.push(length);
        body.extend(self.short_message.iter().take(usize::from(length)));
        for tlv in &self.tlvs {
            put_tlv(&mut body, tlv);
        }
        with_body(command::SUBMIT_SM, 0, sequence, &body)
    }
}

impl Deliver {
    /// Reads a body of `deliver_sm`; nothing if not even the addresses can be read.
    pub(super) fn read_deliver_sm(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        reader.string()?;
        let source = reader.address()?;
        let destination = reader.address()?;
        let esm_class = reader.octet().unwrap_or(0);
        // protocol_id, priority_flag, schedule_delivery_time, validity_period,
        // registered_delivery, replace_if_present_flag.
        reader.skip(2);
        reader.string();
        reader.string();
        reader.skip(2);
        let data_coding = reader.octet().unwrap_or(0);
        reader.skip(1);
        let length = usize::from(reader.octet().unwrap_or(0));
        let short_message = reader.at_most(length).to_vec();
        let tlvs = reader.tlvs();
        Some(Self::assembled(
            source,
            destination,
            esm_class,
            data_coding,
            short_message,
            tlvs,
        ))
    }

    /// Reads a body of `data_sm`.
    pub(super) fn read_data_sm(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        reader.string()?;
        let source = reader.address()?;
        let destination = reader.address()?;
        let esm_class = reader.octet().unwrap_or(0);
        // registered_delivery.
        reader.skip(1);
        let data_coding = reader.octet().unwrap_or(0);
        let tlvs = reader.tlvs();
        Some(Self::assembled(
            source,
            destination,
            esm_class,
            data_coding,
            Vec::new(),
            tlvs,
        ))
    }

    fn assembled(
        source: Address,
        destination: Address,
        esm_class: u8,
        data_coding: u8,
        short_message: Vec<u8>,
        tlvs: Vec<Tlv>,
    ) -> Self {
        let payload = tlvs.iter().find(|tlv| tlv.tag == tag::MESSAGE_PAYLOAD);
        let octets = match payload {
            Some(tlv) if short_message.is_empty() => tlv.value.clone(),
            _ => short_message,
        };
        Self {
            source,
            destination,
            esm_class,
            data_coding,
            octets,
            tlvs,
        }
    }

    /// The value of the first TLV with this tag.
    pub(super) fn tlv(&self, tag: u16) -> Option<&[u8]> {
        self.tlvs
            .iter()
            .find(|tlv| tlv.tag == tag)
            .map(|tlv| tlv.value.as_slice())
    }

    /// A TLV as a big-endian number of whatever length it has.
    pub(super) fn tlv_number(&self, tag: u16) -> Option<u64> {
        let value = self.tlv(tag)?;
        (!value.is_empty() && value.len() <= 8).then(|| {
            value
                .iter()
                .fold(0, |number, octet| (number << 8) | u64::from(*octet))
        })
    }
}

/// The one string that starts the body of `submit_sm_resp` and `bind_transceiver_resp`.
pub(super) fn first_string(body: &[u8]) -> String {
    Reader(body).string().unwrap_or_default()
}

/// Octets that may end in NUL, as text.
pub(super) fn text_of(octets: &[u8]) -> String {
    Reader(octets).string().unwrap_or_default()
}

fn with_body(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut pdu = Vec::with_capacity(16 + body.len());
    for number in [length, id, status, sequence] {
        pdu.extend(number.to_be_bytes());
    }
    pdu.extend(body);
    pdu
}

/// A C-octet string; a NUL inside would move every later field, so it is left out.
fn put_string(body: &mut Vec<u8>, text: &str) {
    body.extend(text.bytes().filter(|octet| *octet != 0));
    body.push(0);
}

fn put_tlv(body: &mut Vec<u8>, tlv: &Tlv) {
    let length = u16::try_from(tlv.value.len()).unwrap_or(u16::MAX);
    body.extend(tlv.tag.to_be_bytes());
    body.extend(length.to_be_bytes());
    body.extend(tlv.value.iter().take(usize::from(length)));
}

/// Longest address that is kept; the standard allows 20.
const ADDRESS_MAX: usize = 64;

/// What is left of a body.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Up to `count` octets, fewer at the end.
    fn at_most(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .unwrap_or((self.0, Default::default()));
        self.0 = rest;
        taken
    }

    fn skip(&mut self, count: usize) {
        self.at_most(count);
    }

    /// A C-octet string, or all that is left if its NUL is missing; nothing at the end.
    /// Octets above 127 are read as Latin-1.
    fn string(&mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let length = self.0.iter().position(|octet| *octet == 0);
        let text = self.at_most(length.unwrap_or(self.0.len()));
        self.skip(1);
        Some(text.iter().copied().map(char::from).collect())
    }

    fn address(&mut self) -> Option<Address> {
        Some(Address {
            ton: self.octet()?,
            npi: self.octet()?,
            digits: self.string()?.chars().take(ADDRESS_MAX).collect(),
        })
    }

    /// The TLVs up to the end, the last one perhaps shorter than it says. Their number is bounded
    /// by the length of the PDU.
    fn tlvs(&mut self) -> Vec<Tlv> {
        let mut tlvs = Vec::new();
        while let [t1, t0, l1, l0, rest @ ..] = self.0 {
            self.0 = rest;
            let length = usize::from(u16::from_be_bytes([*l1, *l0]));
            tlvs.push(Tlv {
                tag: u16::from_be_bytes([*t1, *t0]),
                value: self.at_most(length).to_vec(),
            });
        }
        tlvs
    }
}
