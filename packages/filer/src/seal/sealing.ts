import {
  SEAL_KEY_BYTES,
  SEAL_NONCE_BYTES,
  assert,
  base64,
  joinBytes,
  parseBase64,
  utf8,
} from "@kelp/base";
import { type Attributes, type Chunk, type Fid, formatFid } from "@kelp/wire";
import { decodeAttributes, encodeAttributes } from "../entry/attributes.ts";
import { encodeFid } from "../entry/chunk-list.ts";
import { FilerError } from "../errors.ts";
import type { KeyRing } from "./key-ring.ts";
import { SEALED_VALUE_OVERHEAD_BYTES } from "./stored-bytes.ts";

/** A chunk on its way to a volume. */
export interface SealedChunk {
  /** `nonce ‖ ciphertext ‖ tag`: the layout that SeaweedFS gives a chunk with a cipher key. */
  readonly stored: Uint8Array;
  readonly dataKey: Uint8Array;
}

/** What a value is. Each opens only as what it was sealed as. */
export type AttributesOwner = "tree" | "entry" | "upload" | "part";

/** Sealed attributes are one attribute, of a name that no header and no gateway can give. */
const SEALED_ATTRIBUTE = ":sealed";
const NO_CONTEXT = new Uint8Array(0);

/**
 * How the filer seals: chunks under random data keys of their own, which the ring wraps; values under the ring.
 * The wrapped data key is bound to the chunk's address, so the needles of two chunks cannot stand for each other;
 * inline content to size and ETag of its entry; attributes to the kind of thing that they describe (entries move between paths,
 * and trees are cloned, without being written anew).
 */
export class Sealing {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  sealChunk(data: Uint8Array): SealedChunk {
    const dataKey = this.#ring.freshBytes(SEAL_KEY_BYTES);
    const nonce = this.#ring.freshBytes(SEAL_NONCE_BYTES);
    const stored = this.#ring.aead.seal({ key: dataKey, nonce, data, context: NO_CONTEXT });
    return { stored, dataKey };
  }

  wrapDataKey(dataKey: Uint8Array, fid: Fid): Uint8Array {
    return this.#ring.seal(dataKey, chunkContext(fid));
  }

  /** `stored` is taken: the content is a view of it. Throws `FilerError` `chunk-corrupt`. */
  openChunk(chunk: Chunk, stored: Uint8Array): Uint8Array {
    assert(chunk.sealedKey !== undefined, "the chunk is sealed");
    const key = this.#ring.open(chunk.sealedKey, chunkContext(chunk.fid));
    if (key === undefined) throw unreadable(chunk.fid, "its data key does not open");
    const content = this.#ring.aead.open({
      key,
      sealed: stored,
      context: NO_CONTEXT,
      memory: "taken",
    });
    if (content === undefined) throw unreadable(chunk.fid, "what is stored is not what was sealed");
    return content;
  }

  sealInline(bytes: Uint8Array, entry: InlineOwner): Uint8Array {
    assert(bytes.length === entry.sizeBytes, "inline content is the whole content");
    return bytes.length === 0 ? bytes : this.#ring.seal(bytes, inlineContext(entry));
  }

  /** Content from before the store was sealed is told by its length. Throws `FilerError` `entry-corrupt`. */
  openInline(bytes: Uint8Array, entry: InlineOwner): Uint8Array {
    if (bytes.length === entry.sizeBytes) return bytes;
    if (bytes.length === entry.sizeBytes + SEALED_VALUE_OVERHEAD_BYTES) {
      const opened = this.#ring.open(bytes, inlineContext(entry));
      if (opened !== undefined) return opened;
    }
    throw new FilerError("entry-corrupt", "Cannot read entry: its sealed content does not open");
  }

  sealAttributes(attributes: Attributes, owner: AttributesOwner): Attributes {
    const text = encodeAttributes(attributes);
    if (text === "") return attributes;
    const sealed = this.#ring.seal(utf8(text), attributesContext(owner));
    return { [SEALED_ATTRIBUTE]: base64(sealed) };
  }

  /** Attributes from before the store was sealed are given as they are. Throws `FilerError` `entry-corrupt`. */
  openAttributes(attributes: Attributes, owner: AttributesOwner): Attributes {
    const sealed = attributes[SEALED_ATTRIBUTE];
    if (sealed === undefined) return attributes;
    const bytes = parseBase64(sealed);
    const opened = bytes && this.#ring.open(bytes, attributesContext(owner));
    if (opened === undefined) {
      throw new FilerError("entry-corrupt", `Cannot read ${owner}: its attributes do not open`);
    }
    return decodeAttributes(Buffer.from(opened).toString("utf8"));
  }
}

/** What of an entry its inline content is bound to: both stay when it is renamed. */
export interface InlineOwner {
  readonly sizeBytes: number;
  readonly etag: string;
}

const CHUNK_PURPOSE = utf8("kelp chunk key\0");

function chunkContext(fid: Fid): Uint8Array {
  return joinBytes([CHUNK_PURPOSE, encodeFid(fid)]);
}

function inlineContext({ sizeBytes, etag }: InlineOwner): Uint8Array {
  return utf8(`kelp inline content\0${sizeBytes}\0${etag}`);
}

function attributesContext(owner: AttributesOwner): Uint8Array {
  return utf8(`kelp attributes\0${owner}`);
}

function unreadable(fid: Fid, finding: string): FilerError {
  return new FilerError("chunk-corrupt", `Cannot read chunk ${formatFid(fid)}: ${finding}`);
}
