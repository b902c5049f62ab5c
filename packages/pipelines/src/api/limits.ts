import { assert } from "@kelp/base";

/** Limits of the API; those on names and tags are Kubeflow's. Lengths are in characters (code points). */
export const PIPELINE_NAME_LENGTH_MAX = 128;
export const VERSION_NAME_LENGTH_MAX = 127;
export const EXPERIMENT_NAME_LENGTH_MAX = 128;
export const RUN_NAME_LENGTH_MAX = 255;
export const DESCRIPTION_LENGTH_MAX = 16_384;
export const URL_LENGTH_MAX = 2048;
export const TAGS_MAX = 20;
export const TAG_LENGTH_MAX = 63;

const MIB = 1024 * 1024;
/** An uploaded file as sent. */
export const PACKAGE_BYTES_MAX = 32 * MIB;
/** What an archive may unpack to: a specification is text and seldom above 1 MiB. */
export const UNPACKED_BYTES_MAX = 32 * MIB;
/** Files of an archive that are looked at. */
export const ARCHIVE_ENTRIES_MAX = 1000;
/** A whole upload request: the file, and room for the parts' headers. */
export const UPLOAD_REQUEST_BYTES_MAX = PACKAGE_BYTES_MAX + MIB;
/** A JSON request: it may hold a specification. */
export const JSON_REQUEST_BYTES_MAX = PACKAGE_BYTES_MAX;

assert(PACKAGE_BYTES_MAX <= UNPACKED_BYTES_MAX, "a package may be sent without packing");
