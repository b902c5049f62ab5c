import type { Command } from "../command.ts";

export const clusterStatus: Command = {
  name: "cluster.status",
  usage: "",
  summary: "show version, health, addresses and disk",
  flags: {},
  takes: "none",
  async run({ client, output }) {
    const cluster = await client.cluster();
    const lines: readonly (readonly [string, string | number])[] = [
      ["version", cluster.version],
      ["healthy", cluster.healthy ? "yes" : "no"],
      ["started", new Date(cluster.started_ms).toISOString()],
      ["dir", cluster.dir],
      ["volumes", cluster.volume_count],
      ["disk_total_bytes", cluster.disk_total_bytes],
      ["disk_available_bytes", cluster.disk_available_bytes],
      ...Object.entries(cluster.endpoints).map(([name, url]) => [`endpoint ${name}`, url] as const),
    ];
    for (const [name, value] of lines) await output.write(`${name}: ${value}\n`);
  },
};
