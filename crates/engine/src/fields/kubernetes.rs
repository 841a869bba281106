//! Fields of the pod that the process runs in. They come with the container metadata; until then, and outside of pods,
//! they have no value. Controllers, services and the namespace's own fields are kept for the rules that name them: as
//! upstream, they never have one.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("k8s.pod.name", T::Charbuf, F::Na, no_value, "Name of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.ns.name", T::Charbuf, F::Na, no_value, "Namespace of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.id", T::Charbuf, F::Na, no_value, "Id of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.uid", T::Charbuf, F::Na, no_value, "Unique id of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.sandbox_id", T::Charbuf, F::Na, no_value, "First 12 digits of the id of the pod's sandbox container.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.full_sandbox_id", T::Charbuf, F::Na, no_value, "Whole id of the pod's sandbox container.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.label", T::Charbuf, F::Na, no_value, "Value of one of the pod's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.pod.labels", T::Charbuf, F::Na, no_value, "All labels of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.ip", T::Charbuf, F::Na, no_value, "Address of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.cni.json", T::Charbuf, F::Na, no_value, "What the network plugin answered for the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rc.name", T::Charbuf, F::Na, no_value, "Name of the pod's replication controller.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rc.id", T::Charbuf, F::Na, no_value, "Id of the pod's replication controller.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rc.label", T::Charbuf, F::Na, no_value, "Value of one of the replication controller's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.rc.labels", T::Charbuf, F::Na, no_value, "All labels of the replication controller.").flags(flag::NO_PTR_STABILITY),
    f("k8s.svc.name", T::Charbuf, F::Na, no_value, "Name of the pod's service.").flags(flag::NO_PTR_STABILITY),
    f("k8s.svc.id", T::Charbuf, F::Na, no_value, "Id of the pod's service.").flags(flag::NO_PTR_STABILITY),
    f("k8s.svc.label", T::Charbuf, F::Na, no_value, "Value of one of the service's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.svc.labels", T::Charbuf, F::Na, no_value, "All labels of the service.").flags(flag::NO_PTR_STABILITY),
    f("k8s.ns.id", T::Charbuf, F::Na, no_value, "Id of the namespace.").flags(flag::NO_PTR_STABILITY),
    f("k8s.ns.label", T::Charbuf, F::Na, no_value, "Value of one of the namespace's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.ns.labels", T::Charbuf, F::Na, no_value, "All labels of the namespace.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rs.name", T::Charbuf, F::Na, no_value, "Name of the pod's replica set.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rs.id", T::Charbuf, F::Na, no_value, "Id of the pod's replica set.").flags(flag::NO_PTR_STABILITY),
    f("k8s.rs.label", T::Charbuf, F::Na, no_value, "Value of one of the replica set's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.rs.labels", T::Charbuf, F::Na, no_value, "All labels of the replica set.").flags(flag::NO_PTR_STABILITY),
    f("k8s.deployment.name", T::Charbuf, F::Na, no_value, "Name of the pod's deployment.").flags(flag::NO_PTR_STABILITY),
    f("k8s.deployment.id", T::Charbuf, F::Na, no_value, "Id of the pod's deployment.").flags(flag::NO_PTR_STABILITY),
    f("k8s.deployment.label", T::Charbuf, F::Na, no_value, "Value of one of the deployment's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.deployment.labels", T::Charbuf, F::Na, no_value, "All labels of the deployment.").flags(flag::NO_PTR_STABILITY),
];
