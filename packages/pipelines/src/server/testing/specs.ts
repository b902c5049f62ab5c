/** Small specifications. Every step's command is a placeholder: `scriptedExecutor` goes by the task's name. */

type Json = Readonly<Record<string, unknown>>;

const executor = { container: { image: "none", command: ["true"] } };

/** A pipeline whose steps run one after another. */
export function specOf(name: string, steps: readonly string[] = ["step"]): Json {
  const tasks = steps.map((step, index) => [
    step,
    {
      taskInfo: { name: step },
      componentRef: { name: "comp-step" },
      ...(index === 0 ? {} : { dependentTasks: [steps[index - 1]] }),
    },
  ]);
  return {
    pipelineInfo: { name },
    schemaVersion: "2.1.0",
    sdkVersion: "kfp-2.17.0",
    root: { dag: { tasks: Object.fromEntries(tasks) } },
    components: { "comp-step": { executorLabel: "exec-step" } },
    deploymentSpec: { executors: { "exec-step": executor } },
  };
}

/** `produce` makes artifact `data`, `consume` reads it. */
export function artifactSpec(name: string): Json {
  const data = { artifactType: { schemaTitle: "system.Dataset", schemaVersion: "0.0.1" } };
  return {
    pipelineInfo: { name },
    schemaVersion: "2.1.0",
    root: {
      dag: {
        tasks: {
          produce: { taskInfo: { name: "produce" }, componentRef: { name: "comp-produce" } },
          consume: {
            taskInfo: { name: "consume" },
            componentRef: { name: "comp-consume" },
            dependentTasks: ["produce"],
            inputs: {
              artifacts: {
                data: {
                  taskOutputArtifact: { producerTask: "produce", outputArtifactKey: "data" },
                },
              },
            },
          },
        },
      },
    },
    components: {
      "comp-produce": {
        executorLabel: "exec-step",
        outputDefinitions: { artifacts: { data } },
      },
      "comp-consume": {
        executorLabel: "exec-step",
        inputDefinitions: { artifacts: { data } },
      },
    },
    deploymentSpec: { executors: { "exec-step": executor } },
  };
}

/** One step, one parameter of each type, all but `count` with a default. */
export function parameterSpec(name: string): Json {
  const parameters = {
    count: { parameterType: "NUMBER_INTEGER" },
    ratio: { parameterType: "NUMBER_DOUBLE", defaultValue: 0.5 },
    text: { parameterType: "STRING", defaultValue: "" },
    isOn: { parameterType: "BOOLEAN", defaultValue: false },
    list: { parameterType: "LIST", defaultValue: [] },
    struct: { parameterType: "STRUCT", defaultValue: {} },
  };
  const spec = specOf(name);
  return { ...spec, root: { ...(spec["root"] as Json), inputDefinitions: { parameters } } };
}
