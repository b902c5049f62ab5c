import type { XmlElement } from "@rgrove/parse-xml";
import { CHECKSUM_ALGORITHMS, type ChecksumName, checksumElementName } from "./checksums.ts";
import { childText, childrenNamed, malformed, parseDocument } from "../xml/parse.ts";
import { PART_NUMBER_MAX } from "@kelp/wire";
import { S3Error } from "../errors.ts";

/** One part as CompleteMultipartUpload names it. */
export interface NamedPart {
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: readonly { readonly algorithm: ChecksumName; readonly base64: string }[];
}

/** Throws `MalformedXML`, `InvalidPartOrder`. */
export function parseCompleteDocument(bytes: Uint8Array): readonly NamedPart[] {
  const root = parseDocument(bytes, "CompleteMultipartUpload");
  const elements = childrenNamed(root, "Part");
  if (elements.length === 0) throw malformed("there is no Part");
  if (elements.length > PART_NUMBER_MAX) throw malformed("there are too many Parts");
  let last = 0;
  return elements.map((part) => {
    const named = parsePart(part);
    if (named.number <= last) throw new S3Error("InvalidPartOrder");
    last = named.number;
    return named;
  });
}

function parsePart(part: XmlElement): NamedPart {
  const numberText = childText(part, "PartNumber")?.trim() ?? "";
  const etag = childText(part, "ETag")?.trim() ?? "";
  if (!/^\d{1,5}$/.test(numberText)) throw malformed("a PartNumber is no number");
  if (etag === "") throw malformed("a Part has no ETag");
  const number = Number(numberText);
  if (number < 1 || number > PART_NUMBER_MAX) {
    throw new S3Error("InvalidArgument", `Part number must be 1 to ${PART_NUMBER_MAX}`);
  }
  const checksums: { algorithm: ChecksumName; base64: string }[] = [];
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const text = childText(part, checksumElementName(algorithm));
    if (text !== undefined) checksums.push({ algorithm, base64: text.trim() });
  }
  return { number, etag: etag.replace(/^"(.*)"$/, "$1"), checksums };
}
