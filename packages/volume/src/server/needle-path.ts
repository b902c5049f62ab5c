import { type Fid, needleId, volumeId } from "@kelp/wire";

/** What the path of a request says of a needle. */
export interface NeedlePath {
  /** With the index added to the needle id. */
  readonly fid: Fid;
  /** The fid as it was assigned: without the index. */
  readonly assigned: Fid;
  /** `N` of a suffix `_N`; 0 without one. */
  readonly index: number;
  /** For people and media types; the needle is found without it. Percent-encoded. */
  readonly rawFileName: string | undefined;
}

const PATH =
  /^\/(\d{1,10})[,/]([0-9a-fA-F]{9,24})(?:_(\d{1,9}))?(?:(\.[\w.~-]{1,64})|\/([^/]{1,1024}))?$/;

/** So many digits fit in a number; a bigint made from text costs several times as much. */
const EXACT_HEX_DIGITS_MAX = 13;

/** `/3,01637037d6`, `/3/01637037d6.jpg`, `/3/01637037d6_1/name.jpg`; `undefined` for any other path. */
export function parseNeedlePath(rawPath: string): NeedlePath | undefined {
  const match = PATH.exec(rawPath);
  if (match === null) return undefined;
  const [, volumeText = "", hexText = "", indexText, ending, rawFileName] = match;
  const volume = Number(volumeText);
  const keyText = hexText.slice(0, -8);
  const key =
    keyText.length <= EXACT_HEX_DIGITS_MAX
      ? BigInt(Number.parseInt(keyText, 16))
      : BigInt(`0x${keyText}`);
  const index = indexText === undefined ? 0 : Number(indexText);
  const id = index === 0 ? key : key + BigInt(index);
  if (volume === 0 || volume > 0xffff_ffff) return undefined;
  if (key === 0n || id > 0xffff_ffff_ffff_ffffn) return undefined;
  const cookie = Number.parseInt(hexText.slice(-8), 16);
  const fid: Fid = { volumeId: volumeId(volume), needleId: needleId(id), cookie };
  return {
    fid,
    assigned: index === 0 ? fid : { ...fid, needleId: needleId(key) },
    index,
    rawFileName: rawFileName ?? ending,
  };
}
