export { Crc32c, crc32cOf } from "./crc32c.ts";
export { Crc64Nvme } from "./crc64nvme.ts";
