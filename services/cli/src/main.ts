import { runProgram } from "./program.ts";

// Whoever reads the output may stop at any time (`| head`): that is no error to be told.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// Bun stays alive while something is open: a server ends the process itself once it has drained.
process.exitCode = await runProgram(process.argv.slice(2));
