import type { TaskKind } from "@kelp/wire/management";
import { isRecord } from "../api/http.ts";
import type { GraphTask } from "./graph-task.ts";

/** A specification can refer to one component from many places; drawing stops here. */
export const SPEC_TASK_COUNT_MAX = 2000;
const DEPTH_MAX = 30;

type Fields = Readonly<Record<string, unknown>>;

interface Walk {
  readonly components: Fields;
  readonly executors: Fields;
  readonly tasks: GraphTask[];
}

/** The specification proper: some documents wrap it to carry a platform document beside it. */
export function innerSpec(document: unknown): Fields {
  const outer = fields(document);
  const inner = outer["pipeline_spec"] ?? outer["pipelineSpec"];
  return isRecord(inner) ? inner : outer;
}

/** Every task of a compiled specification, sub-pipelines opened in place. */
export function tasksOfSpec(document: unknown): readonly GraphTask[] {
  const spec = innerSpec(document);
  const walk: Walk = {
    components: fields(spec["components"]),
    executors: fields(fields(spec["deploymentSpec"])["executors"]),
    tasks: [],
  };
  addDag(walk, fields(fields(spec["root"])["dag"]), { parentId: undefined, depth: 0 });
  return walk.tasks;
}

function addDag(
  walk: Walk,
  dag: Fields,
  place: { readonly parentId: string | undefined; readonly depth: number },
): void {
  if (place.depth > DEPTH_MAX) return;
  const prefix = place.parentId === undefined ? "" : `${place.parentId}/`;
  for (const [name, value] of Object.entries(fields(dag["tasks"]))) {
    if (walk.tasks.length >= SPEC_TASK_COUNT_MAX) return;
    const task = fields(value);
    const component = fields(walk.components[text(fields(task["componentRef"])["name"])]);
    const id = `${prefix}${name}`;
    walk.tasks.push({
      id,
      parentId: place.parentId,
      name,
      title: text(fields(task["taskInfo"])["name"]) || name,
      kind: kindOf(walk, { name, task, component }),
      state: undefined,
      isCached: false,
      dependsOn: producersOf(task).map((producer) => `${prefix}${producer}`),
      iterationIndex: undefined,
    });
    if (isRecord(component["dag"])) {
      addDag(walk, component["dag"], { parentId: id, depth: place.depth + 1 });
    }
  }
}

function kindOf(
  walk: Walk,
  found: { readonly name: string; readonly task: Fields; readonly component: Fields },
): TaskKind {
  const { name, task, component } = found;
  if (isRecord(task["parameterIterator"]) || isRecord(task["artifactIterator"])) return "loop";
  if (text(fields(task["triggerPolicy"])["condition"]) !== "") return "condition";
  if (isRecord(component["dag"])) {
    if (name.startsWith("condition-branches-")) return "condition-branches";
    return name.startsWith("exit-handler-") ? "exit-handler" : "dag";
  }
  const executor = fields(walk.executors[text(component["executorLabel"])]);
  return isRecord(executor["importer"]) ? "importer" : "step";
}

/** Siblings that a task waits for: named outright, or through what they produce. */
function producersOf(task: Fields): readonly string[] {
  const names = new Set<string>();
  const dependent = task["dependentTasks"];
  if (Array.isArray(dependent)) for (const name of dependent) names.add(text(name));
  const inputs = fields(task["inputs"]);
  for (const group of [fields(inputs["parameters"]), fields(inputs["artifacts"])]) {
    for (const input of Object.values(group)) {
      for (const source of Object.values(fields(input))) {
        names.add(text(fields(source)["producerTask"]));
      }
    }
  }
  names.delete("");
  return [...names];
}

function fields(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
