//! Authentication: key files, the agent's keys, then the password, each tried once.
//!
//! Must not: begin before the host's key is accepted, or send a password twice.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::client::Session;
use crate::error::Problem;
use crate::target::SshTarget;

type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin + 'static>>;

/// Logs in, or says what was tried.
pub(super) async fn authenticate(session: &mut Session, target: &SshTarget) -> Result<(), Problem> {
    let mut login = Login {
        session,
        target,
        tried: Vec::new(),
        accepted: None,
    };
    let mut agent = open_agent(target).await;
    if login.with_keys(&mut agent).await? || login.with_password().await? {
        return Ok(());
    }
    Err(login.refused())
}

struct Login<'l> {
    session: &'l mut Session,
    target: &'l SshTarget,
    tried: Vec<String>,
    /// The methods that the server would go on with.
    accepted: Option<MethodSet>,
}

impl Login<'_> {
    async fn with_keys(&mut self, agent: &mut Option<Agent>) -> Result<bool, Problem> {
        let mut offered = match agent {
            Some(agent) => agent_keys(agent).await,
            None => Vec::new(),
        };
        for path in &self.target.identity_files {
            if !self.may_try(MethodKind::PublicKey) {
                return Ok(false);
            }
            let is_in = match self.load(path, &offered)? {
                Loaded::Key(key) => self.with_key(*key, path).await?,
                Loaded::InAgent(at) => {
                    let identity = offered.swap_remove(at);
                    match agent {
                        Some(agent) => self.with_agent_key(agent, &identity).await?,
                        None => false,
                    }
                }
                Loaded::Nothing => false,
            };
            if is_in {
                return Ok(true);
            }
        }
        if self.target.identities_only {
            return Ok(false);
        }
        let Some(agent) = agent else {
            return Ok(false);
        };
        for identity in &offered {
            if !self.may_try(MethodKind::PublicKey) {
                return Ok(false);
            }
            if self.with_agent_key(agent, identity).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether the server has not ruled a method out.
    fn may_try(&self, method: MethodKind) -> bool {
        self.accepted
            .as_ref()
            .is_none_or(|methods| methods.contains(&method))
    }

    fn load(&mut self, path: &Path, offered: &[AgentIdentity]) -> Result<Loaded, Problem> {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error)
                if error.kind() == ErrorKind::NotFound && !self.target.identities_required =>
            {
                return Ok(Loaded::Nothing);
            }
            Err(error) => {
                return Err(Problem::IdentityFile {
                    path: path.to_owned(),
                    reason: error.to_string(),
                });
            }
        };
        let passphrase = self.target.passphrase.as_ref().map(|p| p.expose());
        let error = match russh::keys::decode_secret_key(&text, passphrase) {
            Ok(key) => return Ok(Loaded::Key(Box::new(key))),
            Err(error) => error,
        };
        // An encrypted key shows its public half, and the agent may hold the other one.
        let public = PrivateKey::from_openssh(&text).map(|key| key.public_key().clone());
        let is_encrypted =
            matches!(error, russh::keys::Error::KeyIsEncrypted) || text.contains("ENCRYPTED");
        if let Ok(public) = public {
            let same = |id: &AgentIdentity| id.public_key().key_data() == public.key_data();
            if let Some(at) = offered.iter().position(same) {
                return Ok(Loaded::InAgent(at));
            }
        }
        self.tried.push(match (is_encrypted, passphrase) {
            (true, None) => format!("key {shown} (not used: it is encrypted; load it into an agent or give its passphrase)"),
            (true, Some(_)) => format!("key {shown} (not used: the passphrase does not open it)"),
            (false, _) => format!("key {shown} (not used: {error})"),
        });
        Ok(Loaded::Nothing)
    }

    async fn with_key(&mut self, key: PrivateKey, path: &Path) -> Result<bool, Problem> {
        let hash = self.rsa_hash(key.public_key()).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        self.tried.push(format!("key {}", path.display()));
        let result = self
            .session
            .handle
            .authenticate_publickey(&self.target.user, key)
            .await;
        self.judge(result).await
    }

    async fn with_agent_key(
        &mut self,
        agent: &mut Agent,
        identity: &AgentIdentity,
    ) -> Result<bool, Problem> {
        let user = &self.target.user;
        self.tried.push(format!("agent key {}", identity.comment()));
        let hash = self.rsa_hash(&identity.public_key()).await?;
        let handle = &mut self.session.handle;
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                handle
                    .authenticate_publickey_with(user, key.clone(), hash, agent)
                    .await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                handle
                    .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                    .await
            }
        };
        match result {
            Ok(result) => self.judge(Ok(result)).await,
            Err(russh::AgentAuthError::Send(_)) => self.judge(Err(russh::Error::SendError)).await,
            Err(russh::AgentAuthError::Key(error)) => {
                self.tried
                    .push(format!("(the agent does not sign: {error})"));
                Ok(false)
            }
        }
    }

    async fn rsa_hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, Problem> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        let best = self.session.handle.best_supported_rsa_hash().await;
        // A server that does not say is taken for one of this age.
        Ok(best.ok().flatten().unwrap_or(Some(HashAlg::Sha256)))
    }

    async fn with_password(&mut self) -> Result<bool, Problem> {
        let Some(password) = &self.target.password else {
            return Ok(false);
        };
        if self.may_try(MethodKind::Password) {
            self.tried.push("password".to_owned());
            let result = self
                .session
                .handle
                .authenticate_password(&self.target.user, password.expose())
                .await;
            if self.judge(result).await? {
                return Ok(true);
            }
        }
        // Where both are offered they ask the same account for the same password: once is enough.
        let was_refused = self.tried.iter().any(|tried| tried == "password");
        if was_refused || !self.may_try(MethodKind::KeyboardInteractive) {
            return Ok(false);
        }
        self.tried.push("keyboard-interactive".to_owned());
        self.with_questions(password.expose()).await
    }

    async fn with_questions(&mut self, password: &str) -> Result<bool, Problem> {
        let handle = &mut self.session.handle;
        let mut answer = handle
            .authenticate_keyboard_interactive_start(&self.target.user, None)
            .await;
        let mut is_used = false;
        loop {
            match answer {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(true),
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods, ..
                }) => {
                    self.accepted = Some(remaining_methods);
                    return Ok(false);
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => {
                    if is_used && !prompts.is_empty() {
                        return Ok(false);
                    }
                    is_used |= !prompts.is_empty();
                    let hidden = |p: &russh::client::Prompt| match p.echo {
                        true => String::new(),
                        false => password.to_owned(),
                    };
                    let answers = prompts.iter().map(hidden).collect();
                    answer = handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await;
                }
                Err(error) => return self.judge(Err(error)).await,
            }
        }
    }

    async fn judge(&mut self, result: Result<AuthResult, russh::Error>) -> Result<bool, Problem> {
        if result.is_err() || self.session.handle.is_closed() {
            self.session.end.known().await;
        }
        match result {
            Ok(AuthResult::Success) => Ok(true),
            // This is what an answer that never came looks like, too.
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) if !(remaining_methods.is_empty() && self.cut().is_some()) => {
                self.accepted = Some(remaining_methods);
                Ok(false)
            }
            _ if self.cut().is_some() => {
                let reason = self.cut().unwrap_or_default();
                Err(Problem::lost(format!("{reason}, while logging in")))
            }
            _ => {
                self.tried
                    .push("(then the server closed the connection)".to_owned());
                Err(self.refused())
            }
        }
    }

    /// Why the connection was cut under a login, if it was. After a password nobody can tell that from a server that had
    /// enough of it, and it must not be sent again and again.
    fn cut(&self) -> Option<&str> {
        let is_secret = |tried: &String| tried == "password" || tried == "keyboard-interactive";
        let reason = self.session.end.cut();
        reason.filter(|_| !self.tried.iter().any(is_secret))
    }

    fn refused(&self) -> Problem {
        let accepted = self.accepted.as_ref().map_or_else(
            || "did not say what".to_owned(),
            |methods| {
                let names: Vec<&str> = methods.iter().map(Into::into).collect();
                names.join(", ")
            },
        );
        let tried = match self.tried.is_empty() {
            true => "nothing, for no key, agent or password is there".to_owned(),
            false => self.tried.join(", "),
        };
        Problem::Authentication {
            user: self.target.user.clone(),
            tried,
            accepted,
        }
    }
}

enum Loaded {
    Key(Box<PrivateKey>),
    InAgent(usize),
    Nothing,
}

async fn open_agent(target: &SshTarget) -> Option<Agent> {
    if !target.use_agent {
        return None;
    }
    let opened = match &target.agent_socket {
        Some(path) => AgentClient::connect_uds(path).await,
        None => AgentClient::connect_env().await,
    };
    match opened {
        Ok(agent) => Some(agent.dynamic()),
        Err(error) => {
            tracing::debug!(%error, "no agent");
            None
        }
    }
}

async fn agent_keys(agent: &mut Agent) -> Vec<AgentIdentity> {
    agent.request_identities().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the agent lists no keys");
        Vec::new()
    })
}
