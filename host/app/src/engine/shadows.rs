//! What the engine does about shadows: versions that run beside an instance, see
//! `andon_plugins`. Beginning, promoting and refusing them by hand goes between two batches, and is
//! answered once it is on disk.

use andon_model::{AlarmRequest, InstancePlan, ShadowTerms};
use andon_plugins::{
    Applied, Candidate, ChangeError, IncidentKind, Preparation, Prepared, Round, ShadowOrigin,
};
use andon_web::Refusal;
use serde_json::json;
use tokio::sync::oneshot;

use super::input::{Plot, Wanted};
use super::{Answer, Engine, Landing};

/// What a person wants of a shadow.
pub(crate) enum ShadowRequest {
    /// Begin to prepare a version that shall run beside the instance of its name.
    Prepare {
        /// The version.
        wanted: Box<Wanted>,
        /// What to start, or why it cannot run beside the instance.
        reply: oneshot::Sender<Result<Preparation, String>>,
    },
    /// Let it run beside the instance of its name.
    Begin {
        /// The version.
        prepared: Box<Prepared>,
        /// For how long, and what then.
        terms: ShadowTerms,
        /// Answered once it is on disk.
        reply: oneshot::Sender<Result<serde_json::Value, Refusal>>,
    },
    /// Put it in the place of the instance.
    Promote {
        /// Name of the instance.
        instance: String,
        /// Answered once it is on disk.
        reply: oneshot::Sender<Result<serde_json::Value, Refusal>>,
    },
    /// End it; the instance goes on.
    Refuse {
        /// Name of the instance.
        instance: String,
        /// Answered once it is on disk.
        reply: oneshot::Sender<Result<serde_json::Value, Refusal>>,
    },
}

impl Engine {
    /// How an instance of a new set comes about.
    pub(super) fn plot(&self, wanted: Wanted) -> Plot {
        let Wanted {
            plan,
            component,
            shadow,
        } = wanted;
        let candidate = self.scheduler.candidate(&plan, component.hash());
        // A rule that is down must be mended now; there is nothing to compare it with.
        let is_well = self.scheduler.is_well(&plan.name);
        let prepare = |plan| {
            self.scheduler
                .preparation(self.clock.now(), plan, component)
        };
        match (candidate, shadow) {
            (Candidate::Runs, _) => Plot::Keep(plan),
            (_, None) => Plot::Start(prepare(plan)),
            (Candidate::New, Some(terms)) if is_well => Plot::Shadow(prepare(plan), terms),
            (Candidate::New, Some(_)) => Plot::Start(prepare(plan)),
            (Candidate::InShadow, Some(terms)) => Plot::Stay {
                name: plan.name,
                terms: Some(terms),
                refused: None,
            },
            (Candidate::Refused(why) | Candidate::Unlike(why), Some(_)) => Plot::Stay {
                name: plan.name,
                terms: None,
                refused: Some(why),
            },
        }
    }

    /// What stands of an instance's alarms, as far as the book knows what the rule said.
    pub(super) fn held(&self, plan: &InstancePlan) -> Vec<AlarmRequest> {
        let records = self.book.of_instance(&plan.name);
        records
            .filter(|record| record.state.is_active())
            .map(|record| AlarmRequest {
                key: record.id.key.clone(),
                priority: record.priority,
                message: record.message.clone(),
                attributes: Vec::new(),
            })
            .collect()
    }

    /// Lets the workshop know if what runs is no longer what it put in place.
    pub(super) fn tell_ended(&self, round: &Round) {
        let ended = round.incidents.iter().any(|incident| {
            matches!(
                incident.kind,
                IncidentKind::ShadowPromoted | IncidentKind::ShadowRefused
            )
        });
        if ended {
            self.shadows_ended.notify_one();
        }
    }

    /// Does what a person wants of a shadow.
    pub(super) async fn shadow(&mut self, request: ShadowRequest) {
        let now = self.clock.now();
        let (done, applied, reply) = match request {
            ShadowRequest::Prepare { wanted, reply } => {
                let Wanted {
                    plan, component, ..
                } = *wanted;
                let result = self
                    .scheduler
                    .check_shadow(&plan)
                    .map(|()| self.scheduler.preparation(now, plan, component))
                    .map_err(|error| error.to_string());
                return drop(reply.send(result));
            }
            ShadowRequest::Begin {
                prepared,
                terms,
                reply,
            } => {
                let done = json!({ "instance": prepared.plan().name, "shadow": "began" });
                let held = self.held(prepared.plan());
                let origin = ShadowOrigin::Hand;
                let begun = self.scheduler.shadow(now, *prepared, terms, origin, held);
                (done, begun.await, reply)
            }
            ShadowRequest::Promote { instance, reply } => {
                let done = json!({ "instance": instance, "shadow": "promoted" });
                (done, self.scheduler.promote(now, &instance).await, reply)
            }
            ShadowRequest::Refuse { instance, reply } => {
                let done = json!({ "instance": instance, "shadow": "refused" });
                let why = "was refused by a person";
                (done, self.scheduler.refuse(now, &instance, why), reply)
            }
        };
        self.settle_shadow(done, applied, reply).await;
    }

    async fn settle_shadow(
        &mut self,
        done: serde_json::Value,
        applied: Result<Applied, ChangeError>,
        reply: oneshot::Sender<Result<serde_json::Value, Refusal>>,
    ) {
        let applied = match applied {
            Ok(applied) => applied,
            Err(error) => return drop(reply.send(Err(Refusal::new(error.to_string())))),
        };
        let ((), landing) = self
            .commit(|draft| {
                draft.commit.states.extend(applied.states);
                draft.commit.timers.extend(applied.timers);
                for incident in &applied.incidents {
                    draft.incident(incident);
                }
            })
            .await;
        self.land(Landing {
            answer: Some(Answer::Person(reply, Ok(done))),
            ..landing
        })
        .await;
        // What began or took over sees the current values now, not with the next change.
        self.samples(&andon_model::SampleBatch::default(), None)
            .await;
    }
}
