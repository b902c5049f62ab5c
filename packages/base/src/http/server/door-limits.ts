import type { Http1Limits } from "../../http1/index.ts";
import {
  DOOR_CONNECTIONS_MAX,
  DOOR_HEADERS_TIMEOUT_MS,
  DOOR_HEADER_BYTES_MAX,
  DOOR_KEEP_ALIVE_TIMEOUT_MS,
  UNREAD_BYTES_MAX,
  UNREAD_LINGER_MS,
} from "../limits.ts";

/** What a door allows unless it says otherwise. */
export const DOOR_LIMITS: Http1Limits = {
  connectionsMax: DOOR_CONNECTIONS_MAX,
  headBytesMax: DOOR_HEADER_BYTES_MAX,
  headTimeoutMs: DOOR_HEADERS_TIMEOUT_MS,
  keepAliveTimeoutMs: DOOR_KEEP_ALIVE_TIMEOUT_MS,
  unreadBytesMax: UNREAD_BYTES_MAX,
  lingerMs: UNREAD_LINGER_MS,
};
