import type { JsonObject, JsonValue } from "../spec/json.ts";

/** Builds small specifications for tests. Every step is a container with the command `true`. */
export interface StepOptions {
  readonly inputs?: JsonObject;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly artifactInputs?: JsonObject;
  readonly artifactOutputs?: readonly string[];
  readonly container?: JsonObject;
}

export function stepComponent(name: string, options: StepOptions = {}): JsonObject {
  return {
    executorLabel: `exec-${name}`,
    inputDefinitions: {
      parameters: options.inputs ?? {},
      artifacts: options.artifactInputs ?? {},
    },
    outputDefinitions: {
      parameters: mapValues(options.outputs ?? {}, (parameterType) => ({ parameterType })),
      artifacts: Object.fromEntries(
        (options.artifactOutputs ?? []).map((output) => [output, ARTIFACT]),
      ),
    },
  };
}

export const ARTIFACT: JsonObject = {
  artifactType: { schemaTitle: "system.Dataset", schemaVersion: "0.0.1" },
};

export interface PipelineOptions {
  readonly tasks: JsonObject;
  readonly components: Readonly<Record<string, JsonObject>>;
  readonly inputs?: JsonObject;
  readonly outputs?: JsonObject;
  readonly outputTypes?: Readonly<Record<string, string>>;
  readonly executors?: JsonObject;
}

/** A whole document. Executors of components that name one are added. */
export function pipeline(options: PipelineOptions): JsonObject {
  const executors: Record<string, JsonValue> = {};
  for (const component of Object.values(options.components)) {
    const label = component["executorLabel"];
    if (typeof label === "string") {
      executors[label] = { container: { image: "image", command: ["true"] } };
    }
  }
  return {
    pipelineInfo: { name: "test-pipeline" },
    schemaVersion: "2.1.0",
    sdkVersion: "kfp-2.17.0",
    deploymentSpec: { executors: { ...executors, ...options.executors } },
    components: options.components,
    root: {
      inputDefinitions: { parameters: options.inputs ?? {} },
      outputDefinitions: {
        parameters: mapValues(options.outputTypes ?? {}, (parameterType) => ({ parameterType })),
      },
      dag: { tasks: options.tasks, outputs: { parameters: options.outputs ?? {} } },
    },
  };
}

export function task(component: string, rest: JsonObject = {}): JsonObject {
  return { componentRef: { name: component }, taskInfo: { name: component }, ...rest };
}

export function constant(value: JsonValue): JsonObject {
  return { runtimeValue: { constant: value } };
}

export function fromTask(producerTask: string, outputParameterKey = "out"): JsonObject {
  return { taskOutputParameter: { producerTask, outputParameterKey } };
}

export function fromInput(componentInputParameter: string): JsonObject {
  return { componentInputParameter };
}

export function fromSubtask(producerSubtask: string, outputParameterKey = "out"): JsonObject {
  return { valueFromParameter: { producerSubtask, outputParameterKey } };
}

export function type(parameterType: string, rest: JsonObject = {}): JsonObject {
  return { parameterType, ...rest };
}

function mapValues<Value>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value) => JsonValue,
): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
