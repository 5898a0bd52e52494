//! Docker's registry (Debian's `docker-registry`), and components pushed to it by `oci-client`:
//! programs by others, so that not only our own reading of the protocol is tested. Skipped where
//! the machine does not have it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use andon_provenance::{Puller, Reference, RegistrySettings, Sha256, Source};
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;

const COMPONENT: &[u8] = b"stands in for a component";

struct Docker {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Docker {
    /// `None` where the program is not installed.
    async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}}}\nhttp: {{addr: \"{address}\"}}\n",
            folder.path().display()
        );
        let file = folder.path().join("config.yml");
        std::fs::write(&file, settings).expect("written");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let docker = Self {
            child,
            address,
            _folder: folder,
        };
        for _ in 0..1_000 {
            if tokio::net::TcpStream::connect(&docker.address)
                .await
                .is_ok()
            {
                return Some(docker);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("docker-registry does not listen");
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        if self.child.kill().is_ok() {
            self.child.wait().map(|_| ()).unwrap_or_default();
        }
    }
}

#[tokio::test]
async fn what_oci_client_pushed_to_dockers_registry_is_pulled() {
    let Some(docker) = Docker::start().await else {
        println!("skipped: docker-registry is not installed");
        return;
    };
    // The client of that crate wants one for the process; ours does not.
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("the first one");
    let client = oci_client::Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let target = format!("{}/team/tank-level:1.2", docker.address);
    let layer = ImageLayer::new(COMPONENT.to_vec(), "application/wasm".into(), None);
    let config = Config::new(
        b"{}".to_vec(),
        "application/vnd.wasm.config.v0+json".into(),
        None,
    );
    let target_reference = target.parse().expect("a reference");
    client
        .push(
            &target_reference,
            &[layer],
            config,
            &RegistryAuth::Anonymous,
            None,
        )
        .await
        .expect("pushed");
    let plain = RegistrySettings {
        plain_http: true,
        ..RegistrySettings::default()
    };
    let settings = [(docker.address.clone(), plain)].into();
    let puller = Puller::new(settings, Path::new("").to_owned(), None);
    let tagged = Reference::parse(&format!("oci://{target}")).expect("a reference");
    let by_tag = puller.pull(&tagged).await.expect("fetched");
    assert_eq!(
        (&*by_tag.bytes, by_tag.source),
        (COMPONENT, Source::Registry)
    );
    assert_eq!(by_tag.hash, Sha256::of(COMPONENT));
    // And by the digest that the tag led to.
    let by_digest = puller.pull(&by_tag.reference).await.expect("fetched");
    assert_eq!(by_digest.manifest, by_tag.manifest);
    let missing = by_tag.reference.pinned(&Sha256::of(b"something else"));
    let error = puller
        .pull(&missing)
        .await
        .expect_err("refused")
        .to_string();
    assert!(error.contains("does not have"), "{error}");
}
