import { runGateway } from "../gateway-process.ts";

/** What `kelp gateway` does, for servers that a test opens in its own process. */
await runGateway(process.env);
