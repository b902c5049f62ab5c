import { headerText } from "@kelp/base/http";
import type { RequestHeaders } from "@kelp/base/http1";
import { type Attributes, type Part } from "@kelp/wire";
import { type Hashes, base64, joinBytes, must, parseBase64 } from "@kelp/base";
import { combineCrc } from "./crc-combine.ts";
import { S3Error } from "../errors.ts";

/** Checksums of whole objects as S3 keeps them: sent by the client, verified while reading, stored, shown again. */

export const CHECKSUM_ALGORITHMS = ["crc64nvme", "crc32", "crc32c", "sha256", "sha1"] as const;
export type ChecksumName = (typeof CHECKSUM_ALGORITHMS)[number];

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

/** The checksum of one object or part. `value` is base64, with `-N` when composite. */
export interface StoredChecksum {
  readonly algorithm: ChecksumName;
  readonly value: string;
  readonly type: ChecksumType;
}

/** What a multipart upload promises about its checksum. */
export interface ChecksumPlan {
  readonly algorithm: ChecksumName;
  readonly type: ChecksumType;
}

const PREFIX = "x-amz-checksum-";
const TYPE_ATTRIBUTE = "x-amz-checksum-type";
const PLAN_ATTRIBUTE = "kelp-upload-checksum";

const XML_NAMES: Readonly<Record<ChecksumName, string>> = {
  crc64nvme: "ChecksumCRC64NVME",
  crc32: "ChecksumCRC32",
  crc32c: "ChecksumCRC32C",
  sha256: "ChecksumSHA256",
  sha1: "ChecksumSHA1",
};

export function checksumElementName(algorithm: ChecksumName): string {
  return XML_NAMES[algorithm];
}

/** `CRC32` as headers and documents write it. `undefined` for an algorithm unknown here. */
export function parseChecksumName(text: string): ChecksumName | undefined {
  const lower = text.toLowerCase();
  return CHECKSUM_ALGORITHMS.find((name) => name === lower);
}

/** Attributes that keep the checksum of a part or of an object written in one go. */
export function checksumAttributes(
  verified: readonly { readonly algorithm: ChecksumName; readonly base64: string }[],
): Attributes {
  const attributes: Record<string, string> = {};
  for (const checksum of verified) attributes[PREFIX + checksum.algorithm] = checksum.base64;
  return attributes;
}

export function storedChecksums(attributes: Attributes): readonly StoredChecksum[] {
  const found: StoredChecksum[] = [];
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = attributes[PREFIX + algorithm];
    if (value === undefined) continue;
    const type = attributes[TYPE_ATTRIBUTE] === "COMPOSITE" ? "COMPOSITE" : "FULL_OBJECT";
    found.push({ algorithm, value, type });
  }
  return found;
}

/** Shows stored checksums in a response. */
export function addChecksumHeaders(headers: Record<string, string>, attributes: Attributes): void {
  const checksums = storedChecksums(attributes);
  for (const checksum of checksums) headers[PREFIX + checksum.algorithm] = checksum.value;
  const [first] = checksums;
  if (first !== undefined) headers[TYPE_ATTRIBUTE] = first.type;
}

/**
 * What CreateMultipartUpload asks for. Without a type, CRC64NVME is of the full object and the others composite.
 * Throws `InvalidRequest` for a pair that cannot be: a SHA of the whole cannot be had from its parts.
 */
export function parseChecksumPlan(headers: RequestHeaders): ChecksumPlan | undefined {
  const algorithmText = headerText(headers, "x-amz-checksum-algorithm");
  const typeText = headerText(headers, TYPE_ATTRIBUTE);
  if (algorithmText === undefined) {
    if (typeText === undefined) return undefined;
    throw new S3Error("InvalidRequest", "A checksum type needs a checksum algorithm");
  }
  const algorithm = parseChecksumName(algorithmText);
  if (algorithm === undefined) {
    throw new S3Error("InvalidRequest", "The checksum algorithm is not known");
  }
  const type =
    parseChecksumType(typeText) ?? (algorithm === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE");
  const isCrc = algorithm.startsWith("crc");
  if ((type === "FULL_OBJECT" && !isCrc) || (type === "COMPOSITE" && algorithm === "crc64nvme")) {
    throw new S3Error(
      "InvalidRequest",
      `The checksum type ${type} cannot be used with ${algorithmText}`,
    );
  }
  return { algorithm, type };
}

export function parseChecksumType(text: string | undefined): ChecksumType | undefined {
  if (text === undefined) return undefined;
  const upper = text.toUpperCase();
  if (upper === "COMPOSITE" || upper === "FULL_OBJECT") return upper;
  throw new S3Error("InvalidRequest", "The checksum type is not known");
}

/** Keeps a plan among an upload's attributes, and finds it there. */
export function planAttributes(plan: ChecksumPlan | undefined): Attributes {
  return plan === undefined ? {} : { [PLAN_ATTRIBUTE]: `${plan.algorithm} ${plan.type}` };
}

export function planOf(attributes: Attributes): ChecksumPlan | undefined {
  const [name, type] = (attributes[PLAN_ATTRIBUTE] ?? "").split(" ");
  const algorithm = parseChecksumName(name ?? "");
  if (algorithm === undefined) return undefined;
  return { algorithm, type: type === "COMPOSITE" ? "COMPOSITE" : "FULL_OBJECT" };
}

/** The attribute under which a part or object keeps its checksum of that algorithm. */
export function checksumAttributeName(algorithm: ChecksumName): string {
  return PREFIX + algorithm;
}

/** The checksum of a multipart object from those of its parts. Throws `InvalidRequest` when a part has none. */
export function checksumOfParts(
  plan: ChecksumPlan,
  parts: readonly Part[],
  hashes: Hashes,
): StoredChecksum {
  const digests = parts.map((part) => {
    const value = part.attributes[PREFIX + plan.algorithm];
    if (value === undefined) {
      throw new S3Error("InvalidRequest", `Part ${part.number} has no ${plan.algorithm} checksum`);
    }
    return must(parseBase64(value), "stored checksums are base64");
  });
  if (plan.type === "COMPOSITE") {
    const digest = base64(hashes.digest(plan.algorithm, joinBytes(digests)));
    return { algorithm: plan.algorithm, value: `${digest}-${parts.length}`, type: "COMPOSITE" };
  }
  const algorithm = plan.algorithm;
  if (algorithm === "sha1" || algorithm === "sha256") {
    throw new S3Error("InvalidRequest", "A hash of the whole object cannot be had from its parts");
  }
  const pieces = parts.map((part, index) => ({
    crc: must(digests[index]),
    sizeBytes: part.sizeBytes,
  }));
  return { algorithm, value: base64(combineCrc(algorithm, pieces)), type: "FULL_OBJECT" };
}

export function storedChecksumAttributes(checksum: StoredChecksum): Attributes {
  return { [PREFIX + checksum.algorithm]: checksum.value, [TYPE_ATTRIBUTE]: checksum.type };
}
