/**
 * Every operation of the S3 API and what tells it from its neighbours: method, level, and a sub-resource of the query
 * or a header. `built` says whether Kelp does it; all others are answered `NotImplemented`, never something else.
 * Source: the S3 API reference.
 */

export type Level = "service" | "bucket" | "object";
export type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "OPTIONS";

export interface Route {
  readonly operation: OperationName;
  readonly method: Method;
  readonly level: Level;
  /** Query parameter that must be there. */
  readonly query?: string;
  /** Exact value of that parameter, where the value matters. */
  readonly value?: string;
  /** Second query parameter that picks this route over the one without it. */
  readonly with?: string;
  /** Header that picks this route over the one without it. */
  readonly header?: string;
}

const BUILT = [
  { operation: "ListBuckets", method: "GET", level: "service" },
  { operation: "CreateBucket", method: "PUT", level: "bucket" },
  { operation: "HeadBucket", method: "HEAD", level: "bucket" },
  { operation: "DeleteBucket", method: "DELETE", level: "bucket" },
  { operation: "GetBucketLocation", method: "GET", level: "bucket", query: "location" },
  { operation: "GetBucketVersioning", method: "GET", level: "bucket", query: "versioning" },
  { operation: "ListObjects", method: "GET", level: "bucket" },
  { operation: "ListObjectsV2", method: "GET", level: "bucket", query: "list-type", value: "2" },
  { operation: "ListMultipartUploads", method: "GET", level: "bucket", query: "uploads" },
  { operation: "DeleteObjects", method: "POST", level: "bucket", query: "delete" },
  { operation: "PutObject", method: "PUT", level: "object" },
  { operation: "CopyObject", method: "PUT", level: "object", header: "x-amz-copy-source" },
  { operation: "GetObject", method: "GET", level: "object" },
  { operation: "HeadObject", method: "HEAD", level: "object" },
  { operation: "DeleteObject", method: "DELETE", level: "object" },
  { operation: "GetObjectTagging", method: "GET", level: "object", query: "tagging" },
  { operation: "CreateMultipartUpload", method: "POST", level: "object", query: "uploads" },
  { operation: "UploadPart", method: "PUT", level: "object", query: "uploadId" },
  { operation: "UploadPart", method: "PUT", level: "object", query: "partNumber" },
  {
    operation: "UploadPartCopy",
    method: "PUT",
    level: "object",
    query: "uploadId",
    header: "x-amz-copy-source",
  },
  {
    operation: "UploadPartCopy",
    method: "PUT",
    level: "object",
    query: "partNumber",
    header: "x-amz-copy-source",
  },
  { operation: "CompleteMultipartUpload", method: "POST", level: "object", query: "uploadId" },
  { operation: "AbortMultipartUpload", method: "DELETE", level: "object", query: "uploadId" },
  { operation: "ListParts", method: "GET", level: "object", query: "uploadId" },
] as const satisfies readonly (Omit<Route, "operation"> & { readonly operation: string })[];

/** `[method, sub-resource, operation]` and, where an id picks one of a list, the operation with that id. */
const BUCKET_SUB_RESOURCES = [
  ["GET", "abac", "GetBucketAbac"],
  ["PUT", "abac", "PutBucketAbac"],
  ["GET", "accelerate", "GetBucketAccelerateConfiguration"],
  ["PUT", "accelerate", "PutBucketAccelerateConfiguration"],
  ["GET", "acl", "GetBucketAcl"],
  ["PUT", "acl", "PutBucketAcl"],
  ["GET", "analytics", "ListBucketAnalyticsConfigurations", "GetBucketAnalyticsConfiguration"],
  ["PUT", "analytics", "PutBucketAnalyticsConfiguration"],
  ["DELETE", "analytics", "DeleteBucketAnalyticsConfiguration"],
  ["GET", "cors", "GetBucketCors"],
  ["PUT", "cors", "PutBucketCors"],
  ["DELETE", "cors", "DeleteBucketCors"],
  ["GET", "encryption", "GetBucketEncryption"],
  ["PUT", "encryption", "PutBucketEncryption"],
  ["DELETE", "encryption", "DeleteBucketEncryption"],
  [
    "GET",
    "intelligent-tiering",
    "ListBucketIntelligentTieringConfigurations",
    "GetBucketIntelligentTieringConfiguration",
  ],
  ["PUT", "intelligent-tiering", "PutBucketIntelligentTieringConfiguration"],
  ["DELETE", "intelligent-tiering", "DeleteBucketIntelligentTieringConfiguration"],
  ["GET", "inventory", "ListBucketInventoryConfigurations", "GetBucketInventoryConfiguration"],
  ["PUT", "inventory", "PutBucketInventoryConfiguration"],
  ["DELETE", "inventory", "DeleteBucketInventoryConfiguration"],
  ["GET", "lifecycle", "GetBucketLifecycleConfiguration"],
  ["PUT", "lifecycle", "PutBucketLifecycleConfiguration"],
  ["DELETE", "lifecycle", "DeleteBucketLifecycle"],
  ["GET", "logging", "GetBucketLogging"],
  ["PUT", "logging", "PutBucketLogging"],
  ["GET", "metadataConfiguration", "GetBucketMetadataConfiguration"],
  ["POST", "metadataConfiguration", "CreateBucketMetadataConfiguration"],
  ["DELETE", "metadataConfiguration", "DeleteBucketMetadataConfiguration"],
  ["GET", "metadataTable", "GetBucketMetadataTableConfiguration"],
  ["POST", "metadataTable", "CreateBucketMetadataTableConfiguration"],
  ["DELETE", "metadataTable", "DeleteBucketMetadataTableConfiguration"],
  ["PUT", "metadataAnnotationTable", "UpdateBucketMetadataAnnotationTableConfiguration"],
  ["PUT", "metadataInventoryTable", "UpdateBucketMetadataInventoryTableConfiguration"],
  ["PUT", "metadataJournalTable", "UpdateBucketMetadataJournalTableConfiguration"],
  ["GET", "metrics", "ListBucketMetricsConfigurations", "GetBucketMetricsConfiguration"],
  ["PUT", "metrics", "PutBucketMetricsConfiguration"],
  ["DELETE", "metrics", "DeleteBucketMetricsConfiguration"],
  ["GET", "notification", "GetBucketNotificationConfiguration"],
  ["PUT", "notification", "PutBucketNotificationConfiguration"],
  ["GET", "object-lock", "GetObjectLockConfiguration"],
  ["PUT", "object-lock", "PutObjectLockConfiguration"],
  ["GET", "ownershipControls", "GetBucketOwnershipControls"],
  ["PUT", "ownershipControls", "PutBucketOwnershipControls"],
  ["DELETE", "ownershipControls", "DeleteBucketOwnershipControls"],
  ["GET", "policy", "GetBucketPolicy"],
  ["PUT", "policy", "PutBucketPolicy"],
  ["DELETE", "policy", "DeleteBucketPolicy"],
  ["GET", "policyStatus", "GetBucketPolicyStatus"],
  ["GET", "publicAccessBlock", "GetPublicAccessBlock"],
  ["PUT", "publicAccessBlock", "PutPublicAccessBlock"],
  ["DELETE", "publicAccessBlock", "DeletePublicAccessBlock"],
  ["GET", "replication", "GetBucketReplication"],
  ["PUT", "replication", "PutBucketReplication"],
  ["DELETE", "replication", "DeleteBucketReplication"],
  ["GET", "requestPayment", "GetBucketRequestPayment"],
  ["PUT", "requestPayment", "PutBucketRequestPayment"],
  ["GET", "session", "CreateSession"],
  ["GET", "tagging", "GetBucketTagging"],
  ["PUT", "tagging", "PutBucketTagging"],
  ["DELETE", "tagging", "DeleteBucketTagging"],
  ["GET", "versions", "ListObjectVersions"],
  ["PUT", "versioning", "PutBucketVersioning"],
  ["GET", "website", "GetBucketWebsite"],
  ["PUT", "website", "PutBucketWebsite"],
  ["DELETE", "website", "DeleteBucketWebsite"],
] as const;

const OBJECT_SUB_RESOURCES = [
  ["GET", "acl", "GetObjectAcl"],
  ["PUT", "acl", "PutObjectAcl"],
  ["GET", "annotation", "ListObjectAnnotations", "GetObjectAnnotation"],
  ["PUT", "annotation", "PutObjectAnnotation"],
  ["DELETE", "annotation", "DeleteObjectAnnotation"],
  ["GET", "attributes", "GetObjectAttributes"],
  ["PUT", "encryption", "UpdateObjectEncryption"],
  ["GET", "legal-hold", "GetObjectLegalHold"],
  ["PUT", "legal-hold", "PutObjectLegalHold"],
  ["PUT", "renameObject", "RenameObject"],
  ["POST", "restore", "RestoreObject"],
  ["GET", "retention", "GetObjectRetention"],
  ["PUT", "retention", "PutObjectRetention"],
  ["POST", "select", "SelectObjectContent"],
  ["PUT", "tagging", "PutObjectTagging"],
  ["DELETE", "tagging", "DeleteObjectTagging"],
  ["GET", "torrent", "GetObjectTorrent"],
] as const;

const OTHERS = [
  {
    operation: "ListDirectoryBuckets",
    method: "GET",
    level: "service",
    query: "max-directory-buckets",
  },
  {
    operation: "ListDirectoryBuckets",
    method: "GET",
    level: "service",
    query: "x-id",
    value: "ListDirectoryBuckets",
  },
  {
    operation: "WriteGetObjectResponse",
    method: "POST",
    level: "bucket",
    header: "x-amz-request-route",
  },
  { operation: "PostObject", method: "POST", level: "bucket" },
  { operation: "OptionsObject", method: "OPTIONS", level: "object" },
  { operation: "OptionsObject", method: "OPTIONS", level: "bucket" },
  { operation: "OptionsObject", method: "OPTIONS", level: "service" },
] as const;

export type BuiltOperationName = (typeof BUILT)[number]["operation"];
export type OperationName =
  | BuiltOperationName
  | (typeof BUCKET_SUB_RESOURCES)[number][2]
  | Extract<(typeof BUCKET_SUB_RESOURCES)[number], readonly [string, string, string, string]>[3]
  | (typeof OBJECT_SUB_RESOURCES)[number][2]
  | Extract<(typeof OBJECT_SUB_RESOURCES)[number], readonly [string, string, string, string]>[3]
  | (typeof OTHERS)[number]["operation"];

/** The query parameter that names one of a list, by the sub-resource it stands beside. */
const ID_PARAMETERS: Readonly<Record<string, string>> = { annotation: "annotationName" };

export const ROUTES: readonly Route[] = [
  ...BUILT,
  ...BUCKET_SUB_RESOURCES.flatMap((row) => subResourceRoutes("bucket", row)),
  ...OBJECT_SUB_RESOURCES.flatMap((row) => subResourceRoutes("object", row)),
  ...OTHERS,
];

export const BUILT_OPERATIONS: ReadonlySet<OperationName> = new Set(
  BUILT.map((route) => route.operation),
);

function subResourceRoutes(
  level: Level,
  [method, query, operation, withId]:
    | (typeof BUCKET_SUB_RESOURCES)[number]
    | (typeof OBJECT_SUB_RESOURCES)[number],
): Route[] {
  const routes: Route[] = [{ operation, method, level, query }];
  if (withId !== undefined) {
    routes.push({ operation: withId, method, level, query, with: ID_PARAMETERS[query] ?? "id" });
  }
  return routes;
}
