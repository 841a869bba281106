//! Fields of the container that the process runs in.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("container.id", T::Charbuf, F::Na, id, "First 12 digits of the container's id, `host` outside of containers.").flags(flag::NO_PTR_STABILITY),
    f("container.full_id", T::Charbuf, F::Na, no_value, "The container's whole id.").flags(flag::NO_PTR_STABILITY),
    f("container.name", T::Charbuf, F::Na, name, "Name of the container, `host` outside of containers.").flags(flag::NO_PTR_STABILITY),
    f("container.image", T::Charbuf, F::Na, image, "Image that the container runs, as it was asked for.").flags(flag::NO_PTR_STABILITY),
    f("container.image.id", T::Charbuf, F::Na, no_value, "Id of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.type", T::Charbuf, F::Na, no_value, "Engine that runs the container.").flags(flag::NO_PTR_STABILITY),
    f("container.privileged", T::Bool, F::Na, no_value, "Whether the container is privileged.").flags(flag::NO_PTR_STABILITY),
    f("container.mounts", T::Charbuf, F::Na, no_value, "All mounts as `source:dest:mode:rdrw:propagation`, blanks between.").flags(flag::NO_PTR_STABILITY),
    f("container.mount", T::Charbuf, F::Na, no_value, "One mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.source", T::Charbuf, F::Na, no_value, "Source of a mount, by number or by a pattern of its destination.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.dest", T::Charbuf, F::Na, no_value, "Destination of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.mode", T::Charbuf, F::Na, no_value, "Mode of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.rdwr", T::Charbuf, F::Na, no_value, "Whether a mount may be written, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.propagation", T::Charbuf, F::Na, no_value, "Propagation of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.image.repository", T::Charbuf, F::Na, image, "Repository of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.image.tag", T::Charbuf, F::Na, image, "Tag of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.image.digest", T::Charbuf, F::Na, no_value, "Digest of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.healthcheck", T::Charbuf, F::Na, no_value, "The container's health check.").flags(flag::NO_PTR_STABILITY),
    f("container.liveness_probe", T::Charbuf, F::Na, no_value, "The container's liveness probe.").flags(flag::NO_PTR_STABILITY),
    f("container.readiness_probe", T::Charbuf, F::Na, no_value, "The container's readiness probe.").flags(flag::NO_PTR_STABILITY),
    f("container.start_ts", T::Abstime, F::Dec, no_value, "Time when the container began, in nanoseconds since the epoch.").flags(flag::NO_PTR_STABILITY),
    f("container.duration", T::Reltime, F::Dec, no_value, "Nanoseconds since the container began.").flags(flag::NO_PTR_STABILITY),
    f("container.ip", T::Charbuf, F::Na, no_value, "Address of the container.").flags(flag::NO_PTR_STABILITY),
    f("container.cni.json", T::Charbuf, F::Na, no_value, "What the network plugin answered for the container.").flags(flag::NO_PTR_STABILITY),
    f("container.host_pid", T::Bool, F::Na, no_value, "Whether the container shares the host's PID namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.host_network", T::Bool, F::Na, no_value, "Whether the container shares the host's network namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.host_ipc", T::Bool, F::Na, no_value, "Whether the container shares the host's IPC namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.label", T::Charbuf, F::Na, no_value, "Value of one of the container's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.labels", T::Charbuf, F::Na, no_value, "All labels of the container as `key:value`, commas between.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_healthcheck", T::Bool, F::Na, no_value, "Whether the process is part of a container's health check.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_liveness_probe", T::Bool, F::Na, no_value, "Whether the process is part of a container's liveness probe.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_readiness_probe", T::Bool, F::Na, no_value, "Whether the process is part of a container's readiness probe.").flags(flag::NO_PTR_STABILITY),
];

take! {
    id = |m| Some(Value::Bytes(of_host(container(m)?).unwrap_or(container(m)?)));
    // Only the host's is known without asking an engine.
    name = |m| of_host(container(m)?).map(Value::Bytes);
    image = |m| of_host(container(m)?).map(|_| Value::Bytes(b""));
}

/// The container's id, empty for the host; nothing for an unknown thread and without container support.
fn container<'a>(m: &Moment<'a>) -> Option<&'a [u8]> {
    m.thread().filter(|_| m.session.containers).map(|thread| &thread.container_id[..])
}

fn of_host(id: &[u8]) -> Option<&'static [u8]> {
    id.is_empty().then_some(b"host")
}
