//! Who may come in: users with passwords, tokens, and how often each may ask.
//!
//! Everything that takes time away from the host is bounded: two passwords are checked at once,
//! whoever else comes waits [`VERIFY_WAIT`] and is then sent away; an address with wrong tries waits
//! (`tries`), and everybody has a rate (`rates`). A password that was right is remembered for
//! [`PROVEN_FOR`], as a keyed hash, so that a page that reloads itself costs no argon2 each time.

mod password;
mod rates;
mod tokens;
mod tries;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use andon_model::{Clock, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

pub use password::{HashError, hash_password};
pub use tokens::TokenRecord;

pub(crate) use password::PasswordHash;
use password::{PASSWORD_BYTES_MAX, random};
use rates::{Asker, Rates};
use tokens::{Shown, TokenFile};
use tries::{Telling, Tries};

use crate::check::{ApiPlan, User};
use crate::settings::MetricsAccess;
use crate::{Refusal, Role};

/// Passwords that are checked at once; each takes as much memory as its hash says.
const VERIFIES_MAX: usize = 2;
/// For how long a password waits for its turn to be checked.
const VERIFY_WAIT: Duration = Duration::from_secs(5);
/// For how long a password that was right is not checked again.
const PROVEN_FOR: Duration = Duration::from_secs(300);
/// Most passwords that are remembered as right; beyond that all are checked anew.
const PROVEN_MAX: usize = 256;
/// What a password of nobody is checked against, so that a name cannot be told by time.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$UPoRDu7/6l5QdnMHCWCJ0BF5pMtG8AdVRoMYCr1Nrt0";

/// Who asks, once that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the user or token.
    pub(crate) name: String,
    /// What may be done.
    pub(crate) role: Role,
    /// How it was shown.
    pub(crate) proof: Proof,
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// By a password, and this is its hash in the settings.
    Password(PasswordHash),
    /// By a token.
    Token(TokenRecord),
}

impl Caller {
    /// `user` or `token`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.proof {
            Proof::Password(_) => "user",
            Proof::Token(_) => "token",
        }
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Nothing was shown that could be read.
    Unreadable,
    /// What was shown is wrong; whom it named, and whether the journal should hear.
    Wrong {
        name: String,
        telling: bool,
        locked: bool,
    },
    /// The address had too many wrong tries.
    Locked(Duration),
    /// Too many passwords wait to be checked.
    Busy,
}

/// Decides who comes in. One for all doors of the host.
pub struct Access {
    plan: RwLock<Arc<ApiPlan>>,
    tokens: Mutex<TokenFile>,
    rates: Mutex<Rates>,
    tries: Mutex<Tries>,
    proven: Mutex<BTreeMap<[u8; 32], Timestamp>>,
    /// Key of what is remembered as right; nothing is remembered without one.
    salt: Option<[u8; 32]>,
    verifying: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
}

/// Who may come in is nobody's business but the doors'.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left no step half done: each guarded change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Access {
    /// Access by these settings and the tokens of the data folder.
    #[must_use]
    pub fn new(plan: ApiPlan, data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            plan: RwLock::new(Arc::new(plan)),
            tokens: Mutex::new(TokenFile::open(&data.join("tokens.json"))),
            rates: Mutex::default(),
            tries: Mutex::default(),
            proven: Mutex::default(),
            salt: random::<32>().ok(),
            verifying: Arc::new(Semaphore::new(VERIFIES_MAX)),
            clock,
        }
    }

    /// Takes new settings; who is no longer in them is out with the next request.
    pub fn apply(&self, plan: ApiPlan) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }

    /// What is wrong with the tokens, for the status page.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.tokens).trouble().map(str::to_owned)
    }

    /// All tokens, in the order in which they were made.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenRecord> {
        lock(&self.tokens).tokens().to_vec()
    }

    /// Makes a token; the answer is the only copy of it. Writes a small file.
    ///
    /// # Errors
    /// The name is taken or none, there are too many, or the file cannot be written.
    pub fn make_token(
        &self,
        name: &str,
        role: Role,
        valid_for: Option<Duration>,
    ) -> Result<String, Refusal> {
        let now = self.clock.now();
        let expires_at = valid_for.map(|time| now.plus(time));
        lock(&self.tokens).make(name, role, expires_at, now)
    }

    /// Revokes a token; streams that were opened with it end. Writes a small file.
    ///
    /// # Errors
    /// There is none of this name, or the file cannot be written.
    pub fn revoke_token(&self, name: &str) -> Result<TokenRecord, Refusal> {
        lock(&self.tokens).revoke(name)
    }

    /// The configuration of TLS as it is now.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.plan().tls.clone()
    }

    pub(crate) fn plan(&self) -> Arc<ApiPlan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn metrics_are_open(&self) -> bool {
        self.plan().metrics == MetricsAccess::Open
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes a request out of the rate of an address; the error is how long to wait.
    pub(crate) fn admit_address(&self, from: IpAddr) -> Result<(), Duration> {
        let rate = self.plan().address_per_minute;
        lock(&self.rates).take(Asker::at(from), rate, self.now())
    }

    /// Takes a request out of the rate of a user or token; the error is how long to wait.
    pub(crate) fn admit_caller(&self, caller: &Caller) -> Result<(), Duration> {
        let rate = self.plan().caller_per_minute;
        let asker = Asker::Caller(format!("{} {}", caller.kind(), caller.name));
        lock(&self.rates).take(asker, rate, self.now())
    }

    /// Who shows this `Authorization`.
    pub(crate) async fn who(&self, shown: &[u8], from: IpAddr) -> Result<Caller, Denied> {
        let shown = std::str::from_utf8(shown).map_err(|_| Denied::Unreadable)?;
        let (scheme, rest) = shown.split_once(' ').ok_or(Denied::Unreadable)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            self.by_token(rest.trim(), from)
        } else if scheme.eq_ignore_ascii_case("basic") {
            let (name, password) = basic(rest.trim()).ok_or(Denied::Unreadable)?;
            self.by_password(&name, password, from).await
        } else {
            Err(Denied::Unreadable)
        }
    }

    /// Whether somebody who came in earlier still would.
    pub(crate) fn still(&self, caller: &Caller) -> bool {
        match &caller.proof {
            Proof::Token(token) => lock(&self.tokens).still(token, self.now()),
            Proof::Password(hash) => self.plan().users.iter().any(|user| {
                user.name == caller.name && user.role == caller.role && user.hash == *hash
            }),
        }
    }

    fn by_token(&self, shown: &str, from: IpAddr) -> Result<Caller, Denied> {
        let looked_up = lock(&self.tokens).look_up(shown, self.now());
        match looked_up {
            Shown::Valid(token) => Ok(Caller {
                name: token.name.clone(),
                role: token.role,
                proof: Proof::Token(token),
            }),
            Shown::Expired(name) => {
                Err(self.wrong(&format!("the token {name}, which expired"), from))
            }
            Shown::Unknown => Err(self.wrong("a token that is none", from)),
        }
    }

    async fn by_password(
        &self,
        name: &str,
        password: String,
        from: IpAddr,
    ) -> Result<Caller, Denied> {
        let plan = self.plan();
        let user = plan.users.iter().find(|user| user.name == name);
        let key = user.and_then(|user| self.proof_key(user, &password));
        if let (Some(user), Some(key)) = (user, key)
            && self.is_proven(&key)
        {
            return Ok(of(user));
        }
        // Asked before argon2 is: an address that guesses costs no computing time.
        if let Some(wait) = lock(&self.tries).wait(from, self.now()) {
            return Err(Denied::Locked(wait));
        }
        let hash = match user {
            Some(user) => user.hash.clone(),
            None => PasswordHash::parse(NOBODY).map_err(|_| Denied::Unreadable)?,
        };
        let right = self.verify(hash, password).await?;
        match user {
            Some(user) if right => {
                key.into_iter().for_each(|key| self.remember(key));
                Ok(of(user))
            }
            Some(_) | None => Err(self.wrong(&format!("the name {}", shortened(name)), from)),
        }
    }

    async fn verify(&self, hash: PasswordHash, password: String) -> Result<bool, Denied> {
        let turn = tokio::time::timeout(VERIFY_WAIT, Arc::clone(&self.verifying).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Denied::Busy);
        };
        // The turn goes along: a caller who hangs up does not free it before the work is done.
        let work = move || {
            let right = hash.verify(&password);
            drop(turn);
            right
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Denied::Busy)
    }

    fn wrong(&self, what: &str, from: IpAddr) -> Denied {
        let telling = lock(&self.tries).wrong(from, self.now());
        tracing::warn!(%from, shown = what, "a wrong try to use the API");
        Denied::Wrong {
            name: what.to_owned(),
            telling: telling != Telling::Silent,
            locked: telling == Telling::Locked,
        }
    }

    fn proof_key(&self, user: &User, password: &str) -> Option<[u8; 32]> {
        let mut digest = Sha256::new();
        digest.update(self.salt?);
        for part in [&user.name, user.hash.text(), password] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Some(digest.finalize().into())
    }

    fn is_proven(&self, key: &[u8; 32]) -> bool {
        let now = self.now();
        lock(&self.proven)
            .get(key)
            .is_some_and(|until| now < *until)
    }

    fn remember(&self, key: [u8; 32]) {
        let now = self.now();
        let mut proven = lock(&self.proven);
        if proven.len() >= PROVEN_MAX {
            proven.clear();
        }
        proven.insert(key, now.plus(PROVEN_FOR));
    }
}

fn of(user: &User) -> Caller {
    Caller {
        name: user.name.clone(),
        role: user.role,
        proof: Proof::Password(user.hash.clone()),
    }
}

/// Name and password of `Basic`.
fn basic(text: &str) -> Option<(String, String)> {
    if text.len() > 2 * PASSWORD_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    (password.len() <= PASSWORD_BYTES_MAX).then(|| (name.to_owned(), password.to_owned()))
}

/// What a stranger wrote as a name, for the journal: somebody may have typed a password there, but
/// a name that cannot be a user's is not repeated.
fn shortened(name: &str) -> &str {
    if crate::check::is_name(name) {
        name
    } else {
        "of nobody"
    }
}

#[cfg(test)]
mod tests;
