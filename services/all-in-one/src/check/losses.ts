import type { CheckFinding, NeedleName, OpenFiler } from "@kelp/filer";
import { type FolderFinding, describeFinding } from "./folder-finding.ts";

/** With more damage than that nobody reads names. */
const LOSSES_MAX = 10_000;
/** Of one needle: copies of buckets and snapshots name what their source does. */
const OWNERS_MAX = 3;

/** Findings of lost needles, kept until the check is over: then the entries that they are of are looked for, all at once. */
export class Losses {
  readonly #filer: Pick<OpenFiler, "ownersOf">;
  readonly #kept: { readonly finding: CheckFinding; readonly needle: NeedleName }[] = [];

  constructor(filer: Pick<OpenFiler, "ownersOf">) {
    this.#filer = filer;
  }

  /** Whether it is kept, and told later. */
  take(finding: CheckFinding): boolean {
    const needle = needleOf(finding);
    if (needle === undefined || this.#kept.length >= LOSSES_MAX) return false;
    this.#kept.push({ finding, needle });
    return true;
  }

  async *told(): AsyncGenerator<FolderFinding> {
    const owners = new Map<string, string[]>();
    for await (const { owner, ...needle } of this.#filer.ownersOf(
      this.#kept.map(({ needle: kept }) => kept),
    )) {
      const known = owners.get(keyOf(needle));
      if (known === undefined) owners.set(keyOf(needle), [owner]);
      else known.push(owner);
    }
    for (const { finding, needle } of this.#kept) {
      const described = describeFinding(finding);
      const names = owners.get(keyOf(needle));
      yield names === undefined ? described : { ...described, text: withOwners(described, names) };
    }
  }
}

function withOwners({ text }: FolderFinding, names: readonly string[]): string {
  const rest = names.length - OWNERS_MAX;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `${text}; it is of ${names.slice(0, OWNERS_MAX).join(", ")}${more}`;
}

function needleOf(finding: CheckFinding): NeedleName | undefined {
  if (finding.kind === "corrupt-needle") return finding;
  return finding.kind === "missing-chunk" || finding.kind === "size-differs"
    ? finding.fid
    : undefined;
}

function keyOf({ volumeId, needleId }: NeedleName): string {
  return `${volumeId},${needleId.toString(16)}`;
}
