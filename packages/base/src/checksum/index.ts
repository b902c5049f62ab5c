export { Crc32c, crc32cOf } from "./crc32c.ts";
export { Crc64Nvme } from "./crc64nvme.ts";
export { Md5Blocks } from "./md5-blocks.ts";
export { type Md5Lane, moveMd5Lanes } from "./md5-kernels.ts";
export { MD5_LANES_MAX } from "./md5-memory.ts";
export { MD5_STATE_WORDS } from "./md5-scalar.ts";
