import { readFileSync } from "node:fs";
import { openDatabase } from "@kelp/base/platform";
import { parsePipelineSpec } from "../spec/parse-pipeline.ts";
import { createEngineRig } from "./engine-rig.ts";

/** A process that runs one pipeline, to be killed by a test: `bun engine-process.ts <folder> <spec.json>`. */
const [, , folder = "", specPath = ""] = process.argv;
const database = openDatabase(`${folder}/engine.db`);
const rig = createEngineRig({ folder, database });
const parsed = parsePipelineSpec(JSON.parse(readFileSync(specPath, "utf8")));
rig.engine.createRun({ displayName: "r", experimentId: "e", parameters: {}, ...parsed });
