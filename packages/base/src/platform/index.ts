/** The only folder that touches Bun and the operating system: everything else takes these as parameters. */
export { systemAead } from "./aead.ts";
export { systemCallNetwork } from "./call-network.ts";
export { systemClock } from "./clock.ts";
export { copyDatabase } from "./copy-database.ts";
export { openDatabase } from "./database.ts";
export { DamagedLogError, openGuardedDatabase } from "./guarded-database.ts";
export { systemDisk } from "./disk.ts";
export { systemHashes } from "./hash.ts";
export { reclaimMemory } from "./memory.ts";
export { systemFiles } from "./local-files.ts";
export { systemProcesses } from "./processes.ts";
export { systemPeerUsers } from "./peer-users.ts";
export { systemRandom } from "./random.ts";
export { systemTcpNetwork } from "./tcp-network.ts";
export { parseYamlDocuments } from "./yaml.ts";
