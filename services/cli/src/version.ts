import manifest from "../../../package.json";

/** Version of this program. */
export const KELP_VERSION: string = manifest.version;
