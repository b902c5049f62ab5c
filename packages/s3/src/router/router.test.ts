import { describe, expect, test } from "bun:test";
import { BUILT_OPERATIONS, type Level, type OperationName, ROUTES } from "./table.ts";
import { codeOf, requestOf } from "../auth/testing.ts";
import { findOperation } from "../operations/registry.ts";
import { routeRequest } from "./router.ts";

/** The operations of the S3 API reference. */
const API =
  `AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateBucketMetadataConfiguration
CreateBucketMetadataTableConfiguration CreateMultipartUpload CreateSession DeleteBucket DeleteBucketAnalyticsConfiguration
DeleteBucketCors DeleteBucketEncryption DeleteBucketIntelligentTieringConfiguration DeleteBucketInventoryConfiguration
DeleteBucketLifecycle DeleteBucketMetadataConfiguration DeleteBucketMetadataTableConfiguration
DeleteBucketMetricsConfiguration DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketReplication
DeleteBucketTagging DeleteBucketWebsite DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjects
DeletePublicAccessBlock GetBucketAbac GetBucketAccelerateConfiguration GetBucketAcl GetBucketAnalyticsConfiguration
GetBucketCors GetBucketEncryption GetBucketIntelligentTieringConfiguration GetBucketInventoryConfiguration
GetBucketLifecycleConfiguration GetBucketLocation GetBucketLogging GetBucketMetadataConfiguration
GetBucketMetadataTableConfiguration GetBucketMetricsConfiguration GetBucketNotificationConfiguration
GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketReplication GetBucketRequestPayment
GetBucketTagging GetBucketVersioning GetBucketWebsite GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes
GetObjectLegalHold GetObjectLockConfiguration GetObjectRetention GetObjectTagging GetObjectTorrent
GetPublicAccessBlock HeadBucket HeadObject ListBucketAnalyticsConfigurations
ListBucketIntelligentTieringConfigurations ListBucketInventoryConfigurations ListBucketMetricsConfigurations
ListBuckets ListDirectoryBuckets ListMultipartUploads ListObjectAnnotations ListObjectVersions ListObjects
ListObjectsV2 ListParts PutBucketAbac PutBucketAccelerateConfiguration PutBucketAcl PutBucketAnalyticsConfiguration
PutBucketCors PutBucketEncryption PutBucketIntelligentTieringConfiguration PutBucketInventoryConfiguration
PutBucketLifecycleConfiguration PutBucketLogging PutBucketMetricsConfiguration PutBucketNotificationConfiguration
PutBucketOwnershipControls PutBucketPolicy PutBucketReplication PutBucketRequestPayment PutBucketTagging
PutBucketVersioning PutBucketWebsite PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold
PutObjectLockConfiguration PutObjectRetention PutObjectTagging PutPublicAccessBlock RenameObject RestoreObject
SelectObjectContent UpdateBucketMetadataAnnotationTableConfiguration
UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration UpdateObjectEncryption
UploadPart UploadPartCopy WriteGetObjectResponse`.split(/\s+/);

function route(
  method: string,
  level: Level,
  query = "",
  headers: readonly (readonly [string, string])[] = [],
): OperationName {
  return routeRequest(requestOf({ method, query, headers }), level);
}

test("every operation of the API has a route", () => {
  const routed = new Set<string>(ROUTES.map((row) => row.operation));
  expect(API.filter((name) => !routed.has(name))).toEqual([]);
});

test("a request made as a row of the table says reaches that row's operation", () => {
  for (const row of ROUTES) {
    const query = [
      row.query === undefined ? "" : `${row.query}=${row.value ?? ""}`,
      row.with === undefined ? "" : `${row.with}=1`,
    ]
      .filter((piece) => piece !== "")
      .join("&");
    const headers = row.header === undefined ? [] : [[row.header, "value"] as const];
    expect([row, route(row.method, row.level, query, headers)]).toEqual([row, row.operation]);
  }
});

test("an operation is built exactly when the table says so", () => {
  for (const { operation } of ROUTES) {
    expect([operation, findOperation(operation)?.name]).toEqual([
      operation,
      BUILT_OPERATIONS.has(operation) ? (operation as never) : undefined,
    ]);
  }
});

describe("sub-resources never fall through", () => {
  test("one of another method is not allowed", () => {
    expect(codeOf(() => route("DELETE", "bucket", "acl"))).toBe("MethodNotAllowed");
    expect(codeOf(() => route("HEAD", "object", "tagging"))).toBe("MethodNotAllowed");
    expect(codeOf(() => route("PUT", "bucket", "location"))).toBe("MethodNotAllowed");
  });
  test("a bare unknown one is not implemented", () => {
    for (const method of ["GET", "PUT", "DELETE", "HEAD"]) {
      expect(codeOf(() => route(method, "bucket", "futureThing"))).toBe("NotImplemented");
      expect(codeOf(() => route(method, "object", "futureThing="))).toBe("NotImplemented");
    }
  });
  test("a known one with any value is still itself", () => {
    expect(route("GET", "bucket", "policy=x")).toBe("GetBucketPolicy");
  });
  test("two at once are refused", () => {
    expect(codeOf(() => route("GET", "bucket", "acl&policy"))).toBe("InvalidArgument");
    expect(codeOf(() => route("GET", "bucket", "list-type=2&acl"))).toBe("InvalidArgument");
  });
});

describe("noise does not change the operation", () => {
  test("signatures, SDK marks and unknown parameters with values", () => {
    const noise = "x-id=GetObject&X-Amz-Signature=00&X-Amz-Expires=9&colour=blue";
    expect(route("GET", "object", noise)).toBe("GetObject");
    expect(route("GET", "bucket", `${noise}&prefix=`)).toBe("ListObjects");
    expect(route("GET", "bucket", `list-type=2&prefix=&delimiter=&metadata=true`)).toBe(
      "ListObjectsV2",
    );
  });
});

test("half of a part's address is still a part", () => {
  expect(route("PUT", "object", "partNumber=1")).toBe("UploadPart");
  expect(route("PUT", "object", "uploadId=x")).toBe("UploadPart");
  expect(route("PUT", "object", "partNumber=1&uploadId=x", [["x-amz-copy-source", "b/k"]])).toBe(
    "UploadPartCopy",
  );
});

test("a method without operations is not allowed", () => {
  expect(codeOf(() => route("PATCH", "object"))).toBe("MethodNotAllowed");
  expect(codeOf(() => route("DELETE", "service"))).toBe("MethodNotAllowed");
  expect(codeOf(() => route("POST", "object"))).toBe("MethodNotAllowed");
});
