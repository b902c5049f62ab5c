import type {
  DiskStatus,
  FoundDamage,
  MasterStatus,
  VolumeFigures,
  VolumeForm,
  VolumeState,
  VolumeStatus,
} from "@kelp/wire";
import type { Metric, Sample } from "./text-format.ts";

export interface MeasuredStore {
  readonly status: MasterStatus;
  readonly disks: readonly DiskStatus[];
  readonly figures: VolumeFigures;
  readonly quarantined: readonly FoundDamage[];
  readonly entries: { readonly scrubCount: number; readonly damagedCount: number };
  readonly process: { readonly startedMs: number; readonly memoryRssBytes: number };
}

/** All of them are there even while they count nothing: a missing series cannot be alerted on. */
const STATES = [
  "writable",
  "full",
  "read-only",
  "failed",
  "missing",
] as const satisfies readonly VolumeState[];

const FORMS = ["plain", "erasure-coded", "remote"] as const satisfies readonly VolumeForm["kind"][];

/** What is measured of a store. Nothing is labelled by what users name (buckets, objects): the number of series is bounded. */
export function storeMetrics(measured: MeasuredStore): readonly Metric[] {
  const { figures } = measured;
  return [
    ...volumeMetrics(measured.status.volumes),
    ...diskMetrics(measured.disks),
    ...maintenanceMetrics(figures, measured.quarantined),
    counter(
      "entry_scrubs_total",
      "Times that all entries were read against their checksums",
      measured.entries.scrubCount,
    ),
    gauge("entries_damaged", "Entries that the newest such reading found to be damaged", [
      { value: measured.entries.damagedCount },
    ]),
    counter(
      "changes_refused_total",
      "Appends and removals that failed",
      figures.changesRefusedCount,
    ),
    counter("reads_refused_total", "Reads that ended with an error", figures.readsRefusedCount),
    gauge("process_start_time_seconds", "When the server started, since the Unix epoch", [
      { value: measured.process.startedMs / 1000 },
    ]),
    gauge("process_resident_memory_bytes", "Memory of the server's process", [
      { value: measured.process.memoryRssBytes },
    ]),
  ];
}

function volumeMetrics(volumes: readonly VolumeStatus[]): readonly Metric[] {
  const sum = (value: (volume: VolumeStatus) => number): readonly Sample[] => [
    { value: volumes.reduce((total, volume) => total + value(volume), 0) },
  ];
  return [
    gauge(
      "volumes",
      "Volumes by state",
      STATES.map((state) => ({
        labels: { state },
        value: volumes.filter((volume) => volume.state === state).length,
      })),
    ),
    gauge(
      "volume_forms",
      "Volumes by form",
      FORMS.map((form) => ({
        labels: { form },
        value: volumes.filter((volume) => volume.form.kind === form).length,
      })),
    ),
    gauge(
      "shards_missing",
      "Shards that are absent or have damaged blocks",
      sum(({ form }) => (form.kind === "erasure-coded" ? form.missingShards.length : 0)),
    ),
    gauge(
      "volume_size_bytes",
      "Length of all volume files",
      sum((volume) => volume.sizeBytes),
    ),
    gauge(
      "needles",
      "Live needles",
      sum((volume) => volume.liveCount),
    ),
    gauge(
      "needle_live_bytes",
      "Whole records of live needles",
      sum((volume) => volume.liveBytes),
    ),
    gauge(
      "needle_deleted_bytes",
      "Whole records that vacuuming would free",
      sum((volume) => volume.deletedBytes),
    ),
  ];
}

function diskMetrics(disks: readonly DiskStatus[]): readonly Metric[] {
  const each = (value: (disk: DiskStatus) => number): readonly Sample[] =>
    disks.map((disk, index) => ({
      labels: { disk: `${index}`, folder: disk.folder },
      value: value(disk),
    }));
  return [
    gauge("disk_up", "1 while the folder of volumes can be used", each(isUp)),
    gauge(
      "disk_total_bytes",
      "Size of the disk",
      each((disk) => disk.totalBytes),
    ),
    gauge(
      "disk_available_bytes",
      "Free space of the disk",
      each((disk) => disk.availableBytes),
    ),
  ];
}

function isUp({ state }: DiskStatus): number {
  return state === "ok" ? 1 : 0;
}

function maintenanceMetrics(
  figures: VolumeFigures,
  quarantined: readonly FoundDamage[],
): readonly Metric[] {
  return [
    counter("vacuums_total", "Vacuums that were finished", figures.vacuumCount),
    counter("vacuum_failures_total", "Vacuums that failed", figures.vacuumFailureCount),
    counter("vacuum_freed_bytes_total", "Bytes that vacuums freed", figures.vacuumFreedBytes),
    counter("scrubs_total", "Scrubs of a volume that were finished", figures.scrubCount),
    counter("scrubbed_needles_total", "Needles that scrubs read", figures.scrubbedNeedleCount),
    counter("scrubbed_bytes_total", "Bytes that scrubs read", figures.scrubbedBytes),
    counter("scrub_damaged_total", "Damaged things that scrubs found", figures.damagedCount),
    counter("scrub_repaired_total", "Damaged things that scrubs repaired", figures.repairedCount),
    gauge("quarantined", "Damaged things that are neither repaired nor removed", [
      { value: quarantined.length },
    ]),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `kelp_${name}`, kind: "gauge", help, samples };
}

function counter(name: string, help: string, value: number): Metric {
  return { name: `kelp_${name}`, kind: "counter", help, samples: [{ value }] };
}
