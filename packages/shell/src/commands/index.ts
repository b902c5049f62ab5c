import type { Command } from "../command.ts";
import { bucketClone } from "./bucket-clone.ts";
import { clusterStatus } from "./cluster-status.ts";
import { ecDecode, ecEncode, ecRebuild } from "./ec.ts";
import { fsCat } from "./fs-cat.ts";
import { fsCd, fsPwd } from "./fs-cd.ts";
import { fsDu } from "./fs-du.ts";
import { fsLs } from "./fs-ls.ts";
import { fsMetaCat } from "./fs-meta-cat.ts";
import { fsMkdir } from "./fs-mkdir.ts";
import { fsMv } from "./fs-mv.ts";
import { fsRm } from "./fs-rm.ts";
import { fsTree } from "./fs-tree.ts";
import { helpFor } from "./help.ts";
import { accessKeyCreate, accessKeyDelete, accessKeyList } from "./s3-access-key.ts";
import { bucketCreate, bucketDelete, bucketList } from "./s3-bucket.ts";
import { bucketQuota } from "./s3-bucket-quota.ts";
import { configure } from "./s3-configure.ts";
import { userCreate, userDelete, userDisable, userEnable, userList, userShow } from "./s3-user.ts";
import { snapshotCreate, snapshotDelete, snapshotList } from "./snapshot.ts";
import { volumeDelete, volumeMark } from "./volume-change.ts";
import { volumeList } from "./volume-list.ts";
import { volumeScrub } from "./volume-scrub.ts";
import { tierDownload, tierUpload } from "./volume-tier.ts";
import { volumeVacuum } from "./volume-vacuum.ts";

const WITHOUT_HELP: readonly Command[] = [
  bucketClone,
  clusterStatus,
  ecDecode,
  ecEncode,
  ecRebuild,
  fsCat,
  fsCd,
  fsDu,
  fsLs,
  fsMetaCat,
  fsMkdir,
  fsMv,
  fsPwd,
  fsRm,
  fsTree,
  accessKeyCreate,
  accessKeyDelete,
  accessKeyList,
  bucketCreate,
  bucketDelete,
  bucketList,
  bucketQuota,
  configure,
  snapshotCreate,
  snapshotDelete,
  snapshotList,
  userCreate,
  userDelete,
  userDisable,
  userEnable,
  userList,
  userShow,
  volumeDelete,
  volumeList,
  volumeMark,
  volumeScrub,
  tierDownload,
  tierUpload,
  volumeVacuum,
];

/** All commands by name, in the order of help. */
export const COMMANDS: readonly Command[] = [...WITHOUT_HELP, helpFor(WITHOUT_HELP)].sort(
  (left, right) => (left.name < right.name ? -1 : 1),
);
