/** The S3 room's door for rooms of the same process: the store without HTTP. */
export { type BucketCopiesOptions, createBucketCopies } from "./bucket-copies.ts";
export { type ObjectStoreOptions, createObjectStore } from "./object-store.ts";
