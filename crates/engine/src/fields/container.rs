//! Fields of the container that the process runs in.
//!
//! Semantics: the container plugin (falcosecurity/plugins). The id comes from the control group and is always known;
//! everything else has no value until somebody has told of the container. Events that tell of a container are that
//! container's.

use super::access::Text;
use super::row::*;
use crate::ops::glob::Glob;
use peregrine_state::container::{Container, Labels, Mount};

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("container.id", T::Charbuf, F::Na, id, "First 12 digits of the container's id, `host` outside of containers.").flags(flag::NO_PTR_STABILITY),
    f("container.full_id", T::Charbuf, F::Na, full_id, "The container's whole id, `host` outside of containers.").flags(flag::NO_PTR_STABILITY),
    f("container.name", T::Charbuf, F::Na, name, "Name of the container, `host` outside of containers.").flags(flag::NO_PTR_STABILITY),
    f("container.image", T::Charbuf, F::Na, image, "Image that the container runs, as it was asked for.").flags(flag::NO_PTR_STABILITY),
    f("container.image.id", T::Charbuf, F::Na, image_id, "Id of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.type", T::Charbuf, F::Na, engine, "Engine that runs the container.").flags(flag::NO_PTR_STABILITY),
    f("container.privileged", T::Bool, F::Na, privileged, "Whether the container is privileged.").flags(flag::NO_PTR_STABILITY),
    f("container.mounts", T::Charbuf, F::Na, mounts, "All mounts as `source:dest:mode:rdrw:propagation`, commas between.").flags(flag::NO_PTR_STABILITY),
    f("container.mount", T::Charbuf, F::Na, mount, "One mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.source", T::Charbuf, F::Na, mount_source, "Source of a mount, by number or by a pattern of its destination.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.dest", T::Charbuf, F::Na, mount_dest, "Destination of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.mode", T::Charbuf, F::Na, mount_mode, "Mode of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.rdwr", T::Charbuf, F::Na, mount_rdwr, "Whether a mount may be written, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.mount.propagation", T::Charbuf, F::Na, mount_propagation, "Propagation of a mount, by number or by a pattern of its source.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.image.repository", T::Charbuf, F::Na, image_repo, "Repository of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.image.tag", T::Charbuf, F::Na, image_tag, "Tag of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.image.digest", T::Charbuf, F::Na, image_digest, "Digest of the image.").flags(flag::NO_PTR_STABILITY),
    f("container.healthcheck", T::Charbuf, F::Na, no_value, "The container's health check.").flags(flag::NO_PTR_STABILITY),
    f("container.liveness_probe", T::Charbuf, F::Na, no_value, "The container's liveness probe.").flags(flag::NO_PTR_STABILITY),
    f("container.readiness_probe", T::Charbuf, F::Na, no_value, "The container's readiness probe.").flags(flag::NO_PTR_STABILITY),
    f("container.start_ts", T::Abstime, F::Dec, start_ts, "Time when the container began, in nanoseconds since the epoch.").flags(flag::NO_PTR_STABILITY),
    f("container.duration", T::Reltime, F::Dec, run_time, "Nanoseconds since the container began.").flags(flag::NO_PTR_STABILITY),
    f("container.ip", T::Charbuf, F::Na, ip, "Address of the container.").flags(flag::NO_PTR_STABILITY),
    f("container.cni.json", T::Charbuf, F::Na, cni_json, "What the network plugin answered for the container.").flags(flag::NO_PTR_STABILITY),
    f("container.host_pid", T::Bool, F::Na, host_pid, "Whether the container shares the host's PID namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.host_network", T::Bool, F::Na, host_network, "Whether the container shares the host's network namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.host_ipc", T::Bool, F::Na, host_ipc, "Whether the container shares the host's IPC namespace.").flags(flag::NO_PTR_STABILITY),
    f("container.label", T::Charbuf, F::Na, label, "Value of one of the container's labels.").arg(A::KeyRequired).flags(flag::NO_PTR_STABILITY | flag::ARG_REQUIRED),
    f("container.labels", T::Charbuf, F::Na, labels, "All labels of the container as `key:value`, commas between; Kubernetes' own are left out.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_healthcheck", T::Bool, F::Na, no_value, "Whether the process is part of a container's health check.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_liveness_probe", T::Bool, F::Na, no_value, "Whether the process is part of a container's liveness probe.").flags(flag::NO_PTR_STABILITY),
    f("proc.is_container_readiness_probe", T::Bool, F::Na, no_value, "Whether the process is part of a container's readiness probe.").flags(flag::NO_PTR_STABILITY),
];

take! {
    id = |m| m.shown_container_id().map(Value::Bytes);
    full_id = |m| text(m, |c| &c.full_id);
    name = |m| text(m, |c| &c.name);
    image = |m| text(m, |c| &c.image);
    image_id = |m| text(m, |c| &c.image_id);
    image_repo = |m| text(m, |c| &c.image_repo);
    image_tag = |m| text(m, |c| &c.image_tag);
    image_digest = |m| text(m, |c| &c.image_digest);
    engine = |m| Some(Value::Bytes(m.container_info()?.engine.name().as_bytes()));
    ip = |m| text(m, |c| &c.ip);
    cni_json = |m| text(m, |c| &c.cni_json);
    privileged = |m| truth(m, |c| c.privileged);
    host_pid = |m| truth(m, |c| c.host_pid);
    host_network = |m| truth(m, |c| c.host_network);
    host_ipc = |m| truth(m, |c| c.host_ipc);
    mounts = |m| {
        let container = m.container_info()?;
        Some(Value::Bytes(m.build(|out| {
            for mount in &container.mounts {
                out.separate(b",");
                whole(mount, out);
            }
        })))
    };
    labels = |m| Some(Value::Bytes(joined(m, &m.container_info()?.labels)));
    start_ts = |m| began(m).map(Value::Uint);
    run_time = |m| Some(Value::Uint(m.event.ts.wrapping_sub(began(m)?)));
}

fn text<'a>(m: &Moment<'a>, of: impl Fn(&'a Container) -> &'a String) -> Option<Value<'a>> {
    Some(Value::Bytes(of(m.container_info()?).as_bytes()))
}

fn truth<'a>(m: &Moment<'a>, of: impl Fn(&'a Container) -> bool) -> Option<Value<'a>> {
    Some(Value::Bool(of(m.container_info()?)))
}

/// When the first process of a container's PID namespace began, as the kernel says. That of the host's namespace is not
/// a container's, whoever shares it.
fn began(m: &Moment<'_>) -> Option<u64> {
    let thread = m.thread().filter(|thread| m.session.containers && thread.in_pid_namespace())?;
    Some(thread.pidns_init_start_ts).filter(|ts| *ts != 0)
}

fn label<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(key) = arg else { return None };
    m.container_info()?.labels.get(key).map(|value| Value::Bytes(value.as_bytes()))
}

/// Labels as `key:value`, without those that Kubernetes sets itself and annotations.
pub(super) fn joined<'a>(m: &Moment<'a>, labels: &Labels) -> &'a [u8] {
    let shown = labels.iter().filter(|(key, _)| !key.starts_with("annotation.") && !key.starts_with("io.kubernetes."));
    m.build(|out| {
        for (key, value) in shown {
            out.separate(b", ");
            out.push(key.as_bytes());
            if !value.is_empty() {
                out.push(b":");
                out.push(value.as_bytes());
            }
        }
    })
}

/// The mount that an argument chooses: by its number, or the first whose path `of` matches the pattern.
///
/// Upstream documents a pattern of the shell but searches for it as a regular expression anywhere in the path, so that
/// `/proc*` finds `/var/product` as well; here it is what is documented.
fn chosen<'a>(m: &Moment<'a>, arg: &Arg, of: impl Fn(&Mount) -> &str) -> Option<&'a Mount> {
    let Arg::Key(key) = arg else { return None };
    let mounts = &m.container_info()?.mounts;
    if let Ok(index) = key.parse::<usize>() {
        return mounts.get(index);
    }
    let glob = Glob::new(key.as_bytes(), false);
    mounts.iter().find(|mount| glob.matches(of(mount).as_bytes()))
}

fn by_source<'a>(m: &Moment<'a>, arg: &Arg) -> Option<&'a Mount> {
    chosen(m, arg, |mount| &mount.source)
}

fn whole(mount: &Mount, out: &mut Text<'_>) {
    let rw = if mount.rw { "true" } else { "false" };
    let parts = [&mount.source, &mount.destination, &mount.mode, rw, &mount.propagation];
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push(b":");
        }
        out.push(part.as_bytes());
    }
}

fn mount<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let mount = by_source(m, arg)?;
    Some(Value::Bytes(m.build(|out| whole(mount, out))))
}

fn mount_source<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    chosen(m, arg, |mount| &mount.destination).map(|mount| Value::Bytes(mount.source.as_bytes()))
}

fn mount_dest<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    by_source(m, arg).map(|mount| Value::Bytes(mount.destination.as_bytes()))
}

fn mount_mode<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    by_source(m, arg).map(|mount| Value::Bytes(mount.mode.as_bytes()))
}

fn mount_rdwr<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    by_source(m, arg).map(|mount| Value::Bytes(if mount.rw { b"true" } else { b"false" }))
}

fn mount_propagation<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    by_source(m, arg).map(|mount| Value::Bytes(mount.propagation.as_bytes()))
}
