//! Which host a request may go to: names in, verdict out.
//!
//! A pattern is a host name, an address, or `*.` and a name, which stands for every name below it
//! and not for the name itself. Without a port it means the usual one of the scheme.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// A host that the settings allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPattern {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Exact(String),
    Below(String),
}

impl HostPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        if name.is_empty() || name.contains(['/', '@', '?', '#', '*', ' ']) {
            return Err("this is not a host");
        }
        // The reader of addresses makes names and numbers canonical, as it does for requests.
        let url = Url::parse(&format!("https://{name}/")).map_err(|_| "this is not a host")?;
        let host = url.host_str().ok_or("this is not a host")?.to_owned();
        if below && (is_address(&host) || !host.contains('.')) {
            return Err("`*.` goes before a name with a dot in it");
        }
        // `https` swallows its own port, which is then the usual one anyway.
        let port = url.port();
        let name = if below {
            Name::Below(format!(".{host}"))
        } else {
            Name::Exact(host)
        };
        Ok(Self { name, port })
    }

    /// Whether a request to this address is meant.
    pub(super) fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let named = match &self.name {
            Name::Exact(name) => host == name,
            Name::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        };
        // `port` of an address is what differs from the scheme's own.
        named && url.port() == self.port
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Exact(name) => f.write_str(name)?,
            Name::Below(suffix) => write!(f, "*{suffix}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Whether an address leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_address(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        let pattern = HostPattern::parse(pattern).expect("a host");
        pattern.allows(&Url::parse(url).expect("an address"))
    }

    #[test]
    fn a_name_means_itself_on_the_usual_port() {
        assert!(allows("ntfy.sh", "https://ntfy.sh/topic?x=1"));
        assert!(allows("NTFY.sh:443", "https://ntfy.sh:443/"));
        assert!(allows("ntfy.sh", "http://ntfy.sh:80/"));
        for other in [
            "https://ntfy.sh.evil.example/",
            "https://evil-ntfy.sh/",
            "https://a.ntfy.sh/",
            "https://ntfy.sh:8443/",
            "https://evil.example/ntfy.sh",
            "https://ntfy.sh@evil.example/",
            "https://ntfy.sh./",
        ] {
            assert!(!allows("ntfy.sh", other), "{other}");
        }
    }

    #[test]
    fn a_star_means_every_name_below_and_not_the_name() {
        assert!(allows("*.example.org", "https://a.example.org/"));
        assert!(allows("*.example.org:81", "http://a.b.example.org:81/"));
        assert!(!allows("*.example.org", "https://example.org/"));
        assert!(!allows("*.example.org", "https://badexample.org/"));
        assert!(!allows("*.example.org", "https://.example.org/"));
    }

    #[test]
    fn numbers_are_read_as_requests_read_them() {
        assert!(allows("10.0.0.5:8443", "https://10.0.0.5:8443/"));
        assert!(allows("10.0.0.5", "https://0x0a.0.0.5/"));
        assert!(allows("[::1]:81", "http://[0:0:0:0:0:0:0:1]:81/"));
        assert!(!allows("10.0.0.5", "https://10.0.0.5:8443/"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "*.com",
            "*.10.0.0.1",
            "a/b",
            "https://a.b",
            "u@a.b",
            "a b",
            "a.*.b",
            "a:99999",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for url in ["http://localhost:1/", "http://127.8.9.1/", "http://[::1]/"] {
            assert!(is_loopback(&Url::parse(url).expect("an address")), "{url}");
        }
        for url in ["http://10.0.0.1/", "http://localhost.evil.example/"] {
            assert!(!is_loopback(&Url::parse(url).expect("an address")), "{url}");
        }
    }
}
