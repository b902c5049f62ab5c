import { runProgram } from "./program.ts";

// Bun stays alive while something is open: a server ends the process itself once it has drained.
process.exitCode = await runProgram(process.argv.slice(2));
