import { systemCallNetwork } from "@kelp/base/platform";
import { HELLO_CALL, IDENTITIES_CALL, READY_CALL, SOCKET_VARIABLE } from "../gateway-calls.ts";

/**
 * A gateway process that behaves badly, as its argument says: `mute` never says hello, `deaf` serves and answers no question, `dying` ends
 * as soon as it serves, `good` answers. All live until their server ends.
 */
const [manner] = process.argv.slice(-1);
const server = await systemCallNetwork.connect(process.env[SOCKET_VARIABLE] ?? "", {
  [IDENTITIES_CALL]: () => (manner === "deaf" ? new Promise(() => undefined) : undefined),
});
server.closed.then(
  () => process.exit(0),
  () => process.exit(1),
);
if (manner !== "mute") {
  await server.call(HELLO_CALL, process.pid);
  await server.call(READY_CALL, 0);
  if (manner === "dying") process.exit(7);
}
