import { type VolumeId, volumeId } from "@kelp/wire";

/** `<id>` or `<collection>_<id>`: the name of a volume's files without `.dat` and `.idx`. */
export function volumeFileName(collection: string, id: VolumeId): string {
  return collection === "" ? `${id}` : `${collection}_${id}`;
}

/**
 * What stands behind the dot in a name that begins as the files of a volume do (`volumeName`: without extension); `undefined`
 * for files of others. A collection may hold dots and digits, so that `1.backup_2.dat` begins as a file of volume 1 and is
 * none.
 */
export function extensionOf(name: string, volumeName: string): string | undefined {
  if (!name.startsWith(`${volumeName}.`)) return undefined;
  const extension = name.slice(volumeName.length + 1);
  return /_\d+\./.test(extension) ? undefined : extension;
}

/** `undefined` when `name` is no `.dat` file of a volume. A collection may hold underscores itself. */
export function parseDataFileName(
  name: string,
): { readonly collection: string; readonly id: VolumeId } | undefined {
  return parseVolumeFileName(name, "dat");
}

/** The same for another file of a volume. */
export function parseVolumeFileName(
  name: string,
  wanted: string,
): { readonly collection: string; readonly id: VolumeId } | undefined {
  const match = /^(?:(.+)_)?([1-9]\d{0,9})\.([a-z]+)$/.exec(name);
  const [, collection = "", idText, extension] = match ?? [];
  if (idText === undefined || extension !== wanted || !isCollection(collection)) return undefined;
  const id = Number(idText);
  return id > 0xffff_ffff ? undefined : { collection, id: volumeId(id) };
}

/** Whether a collection can be part of a file name: no separators, no control characters, not hidden. */
export function isCollection(collection: string): boolean {
  return collection === "" || /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(collection);
}
