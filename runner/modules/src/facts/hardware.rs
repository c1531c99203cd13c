//! Processors, memory, disks, mounts and the machine itself.

use std::collections::{BTreeMap, BTreeSet};

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let mut facts = processors(sections);
    facts.extend(memory(sections));
    facts.extend(machine(sections));
    facts.insert("mounts".into(), mounts(sections).into());
    facts.insert("devices".into(), devices(sections).into());
    if let Some(uptime) = sections.first("uptime") {
        let seconds = uptime
            .split('.')
            .next()
            .and_then(|word| word.parse::<u64>().ok());
        facts.insert("uptime_seconds".into(), seconds.into());
    }
    facts
}

fn processors(sections: &Sections) -> Object {
    let mut shown = Vec::new();
    let mut sockets = BTreeSet::new();
    let (mut cores, mut siblings, mut count) = (0_u64, 0_u64, 0_u64);
    for line in sections.lines("cpu") {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "processor" => {
                count += 1;
                shown.push(value);
            }
            "vendor_id" | "model name" | "Processor" | "cpu model" => shown.push(value),
            "physical id" => {
                sockets.insert(value);
            }
            "cpu cores" => cores = value.parse().unwrap_or(0),
            "siblings" => siblings = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let usable = sections
        .first("nproc")
        .and_then(|word| word.parse::<u64>().ok())
        .unwrap_or(count);
    let sockets = (sockets.len() as u64).max(u64::from(count > 0)).max(1);
    let cores = cores.max(1);
    let threads = (siblings / cores).max(1);
    object(json!({
        "processor": shown, "processor_count": sockets, "processor_cores": cores,
        "processor_threads_per_core": threads,
        "processor_vcpus": if count > 0 { count } else { usable },
        "processor_nproc": usable,
    }))
}

fn memory(sections: &Sections) -> Object {
    let megabytes = |key: &str| -> u64 {
        let text = sections.value("memory", key).unwrap_or_default();
        let number = text
            .split_whitespace()
            .next()
            .and_then(|word| word.parse::<u64>().ok());
        number.unwrap_or(0) / 1024
    };
    if let Some(line) = sections
        .first("memory")
        .and_then(|line| line.strip_prefix("Memory size:"))
    {
        let total: u64 = line
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        return object(json!({"memtotal_mb": total}));
    }
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let cached = megabytes("Cached") + megabytes("Buffers");
    let (swap, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    object(json!({
        "memtotal_mb": total, "memfree_mb": free, "swaptotal_mb": swap, "swapfree_mb": swap_free,
        "memory_mb": {
            "real": {"total": total, "used": total.saturating_sub(free), "free": free},
            "nocache": {
                "free": free + cached,
                "used": total.saturating_sub(free + cached),
            },
            "swap": {
                "total": swap, "free": swap_free, "used": swap.saturating_sub(swap_free),
                "cached": megabytes("SwapCached"),
            },
        },
    }))
}

fn machine(sections: &Sections) -> Object {
    let names = [
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("chassis_type", "form_factor"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("sys_vendor", "system_vendor"),
    ];
    names
        .iter()
        .map(|(file, fact)| {
            let value = sections
                .value("dmi", file)
                .filter(|value| !value.is_empty());
            ((*fact).to_owned(), Value::from(value.unwrap_or("NA")))
        })
        .collect()
}

/// Figures of `df` by mount point: total, used and available.
fn figures<'a>(sections: &Sections<'a>, section: &str) -> BTreeMap<&'a str, [u64; 3]> {
    sections
        .lines(section)
        .iter()
        .skip(1)
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = words
                .iter()
                .position(|word| word.ends_with('%') || *word == "-")?;
            let number = |back: usize| words.get(at.checked_sub(back)?)?.parse().ok();
            Some((*words.get(at + 1)?, [number(3)?, number(2)?, number(1)?]))
        })
        .collect()
}

fn mounts(sections: &Sections) -> Vec<Value> {
    let (space, inodes) = (figures(sections, "space"), figures(sections, "inodes"));
    let mut mounts = Vec::new();
    for line in sections.lines("mounts") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [device, point, kind, options, ..] = words[..] else {
            continue;
        };
        // Only what lies on a device or comes over the network; the rest is the kernel's own.
        if !device.starts_with('/') && !device.contains(":/") && kind != "zfs" {
            continue;
        }
        let point = point.replace("\\040", " ");
        let mut mount = object(json!({
            "mount": point, "device": device, "fstype": kind, "options": options, "uuid": "N/A",
        }));
        if let Some([total, used, free]) = space.get(point.as_str()) {
            mount.extend(object(json!({
                "block_size": 1024, "block_total": total, "block_used": used, "block_available": free,
                "size_total": total * 1024, "size_available": free * 1024,
            })));
        }
        if let Some([total, used, free]) = inodes.get(point.as_str()) {
            mount.extend(object(json!({
                "inode_total": total, "inode_used": used, "inode_available": free,
            })));
        }
        mounts.push(Value::Object(mount));
    }
    mounts
}

fn devices(sections: &Sections) -> Object {
    let mut devices = Object::new();
    let mut last = String::new();
    for line in sections.lines("devices") {
        let fields: Vec<&str> = line.split('|').collect();
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        match fields[..] {
            ["disk", path, sectors, removable, rotational, vendor, model] => {
                last = name(path);
                let known = |text: &str| {
                    let text = text.trim();
                    if text.is_empty() {
                        Value::Null
                    } else {
                        text.into()
                    }
                };
                devices.insert(
                    last.clone(),
                    json!({
                        "sectors": sectors.parse::<u64>().unwrap_or(0), "sectorsize": "512",
                        "size": human(sectors), "removable": removable, "rotational": rotational,
                        "vendor": known(vendor), "model": known(model), "partitions": {},
                    }),
                );
            }
            ["part", path, sectors] => {
                if let Some(disk) = devices.get_mut(&last) {
                    disk["partitions"][name(path)] = json!({
                        "sectors": sectors.parse::<u64>().unwrap_or(0), "sectorsize": 512,
                        "size": human(sectors),
                    });
                }
            }
            _ => {}
        }
    }
    devices
}

/// Writes a number of sectors as a size for people: `20.00 GB`.
fn human(sectors: &str) -> String {
    let mut size = sectors.parse::<f64>().unwrap_or(0.0) * 512.0;
    for unit in ["Bytes", "KB", "MB", "GB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_have_their_figures() {
        let output = "@@mounts\n/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n@@space\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 400 600 40% /\n";
        let mounts = mounts(&Sections::of(output));
        assert_eq!(mounts.len(), 1);
        assert_eq!(
            (&mounts[0]["mount"], &mounts[0]["size_available"]),
            (&json!("/"), &json!(614_400))
        );
    }

    #[test]
    fn processors_are_counted_by_socket_core_and_thread() {
        let cpu = |n: u8, id: u8| {
            format!(
                "processor\t: {n}\nvendor_id\t: V\nmodel name\t: M\nphysical id\t: {id}\nsiblings\t: 2\ncpu cores\t: 1\n"
            )
        };
        let output = format!(
            "@@cpu\n{}{}{}{}",
            cpu(0, 0),
            cpu(1, 0),
            cpu(2, 1),
            cpu(3, 1)
        );
        let facts = processors(&Sections::of(&output));
        assert_eq!(facts["processor_count"], 2);
        assert_eq!(facts["processor_threads_per_core"], 2);
        assert_eq!(facts["processor_vcpus"], 4);
        assert_eq!(facts["processor"][2], "M");
    }
}
