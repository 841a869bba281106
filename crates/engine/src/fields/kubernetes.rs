//! Fields of the pod that the process runs in. They come with the container metadata: name, namespace and id are labels
//! of the container, address and labels the sandbox's. Controllers, services and the namespace's own fields are kept for the rules that name them: as
//! upstream, they never have one.

use super::container::joined;
use super::row::*;
use peregrine_state::container::Container;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("k8s.pod.name", T::Charbuf, F::Na, pod_name, "Name of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.ns.name", T::Charbuf, F::Na, namespace, "Namespace of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.id", T::Charbuf, F::Na, uid, "Id of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.uid", T::Charbuf, F::Na, uid, "Unique id of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.sandbox_id", T::Charbuf, F::Na, sandbox_id, "First 12 digits of the id of the pod's sandbox container.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.full_sandbox_id", T::Charbuf, F::Na, full_sandbox_id, "Whole id of the pod's sandbox container.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.label", T::Charbuf, F::Na, pod_label, "Value of one of the pod's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("k8s.pod.labels", T::Charbuf, F::Na, pod_labels, "All labels of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.ip", T::Charbuf, F::Na, pod_ip, "Address of the pod.").flags(flag::NO_PTR_STABILITY),
    f("k8s.pod.cni.json", T::Charbuf, F::Na, pod_cni_json, "What the network plugin answered for the pod.").flags(flag::NO_PTR_STABILITY),
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

take! {
    pod_name = |m| named(m, "io.kubernetes.pod.name");
    namespace = |m| named(m, "io.kubernetes.pod.namespace");
    uid = |m| named(m, "io.kubernetes.pod.uid");
    sandbox_id = |m| {
        let id = m.container_info()?.pod_sandbox_id.as_bytes();
        Some(Value::Bytes(&id[..id.len().min(SHORT)]))
    };
    full_sandbox_id = |m| Some(Value::Bytes(m.container_info()?.pod_sandbox_id.as_bytes()));
    pod_labels = |m| {
        let container = m.container_info()?;
        Some(Value::Bytes(joined(m, &sandbox(m, container, |c| c.pod_sandbox_labels.is_empty()).pod_sandbox_labels)))
    };
    pod_ip = |m| {
        let container = m.container_info()?;
        Some(Value::Bytes(sandbox(m, container, |c| c.ip.is_empty()).ip.as_bytes()))
    };
    pod_cni_json = |m| {
        let container = m.container_info()?;
        Some(Value::Bytes(sandbox(m, container, |c| c.cni_json.is_empty()).cni_json.as_bytes()))
    };
}

/// Characters of an id that are shown.
const SHORT: usize = 12;

fn named<'a>(m: &Moment<'a>, key: &str) -> Option<Value<'a>> {
    m.container_info()?.labels.get(key).map(|value| Value::Bytes(value.as_bytes()))
}

/// The container, or its pod's sandbox where the container itself `lacks` the value and the sandbox is known.
fn sandbox<'a>(m: &Moment<'a>, container: &'a Container, lacks: impl Fn(&Container) -> bool) -> &'a Container {
    if !lacks(container) {
        return container;
    }
    let id = container.pod_sandbox_id.as_bytes();
    m.state.container(&id[..id.len().min(SHORT)]).unwrap_or(container)
}

fn pod_label<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(key) = arg else { return None };
    let container = m.container_info()?;
    let labels = &sandbox(m, container, |c| !c.pod_sandbox_labels.contains_key(key)).pod_sandbox_labels;
    labels.get(key).map(|value| Value::Bytes(value.as_bytes()))
}
