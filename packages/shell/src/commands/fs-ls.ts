import type { Call, Command } from "../command.ts";
import { type ObjectItem, inspect, locationOf, notFound } from "../listing.ts";
import { nameOf, pathOf } from "../location.ts";

export const fsLs: Command = {
  name: "fs.ls",
  usage: "[-l] [-a] [path]",
  summary: "list buckets, or the keys in a bucket; folders end in a slash",
  flags: {
    l: { kind: "switch", help: "with chunks, size and time, and the total" },
    a: { kind: "switch", help: "also names that begin with a dot" },
  },
  takes: "paths",
  async run(call) {
    const location = locationOf(call, 0);
    const lines = new Lines(call);
    if (location.kind === "root") await lines.name("buckets");
    else if (location.kind === "buckets") {
      for (const { name } of await call.client.listBuckets()) await lines.name(name);
    } else {
      const { folder, object } = await inspect(call, location);
      if (folder !== undefined) {
        const query = { prefix: folder.prefix, delimiter: "/" } as const;
        for await (const item of call.client.eachObject(folder.bucket, query)) {
          if (item.kind === "prefix") await lines.name(nameOf(item.prefix));
          // The marker of the folder itself is not something in it.
          else if (item.key !== folder.prefix) await lines.object(item);
        }
      } else if (object !== undefined) await lines.object(object);
      else if (location.kind === "object") throw notFound(pathOf(location.bucket, location.key));
    }
    await lines.total();
  },
};

class Lines {
  readonly #call: Call;
  #count = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  async name(name: string): Promise<void> {
    await this.#write(name, name);
  }

  async object(item: ObjectItem): Promise<void> {
    const name = nameOf(item.key);
    const time = new Date(item.modified_ms).toISOString();
    const chunks = String(item.chunk_count).padStart(4);
    const size = String(item.size_bytes).padStart(14);
    await this.#write(name, `${chunks} ${size} ${time} ${name}`);
  }

  async total(): Promise<void> {
    if (this.#call.flags.isOn("l")) await this.#call.output.write(`total ${this.#count}\n`);
  }

  async #write(name: string, long: string): Promise<void> {
    const { flags, output } = this.#call;
    if (name.startsWith(".") && !flags.isOn("a")) return;
    this.#count += 1;
    await output.write(`${flags.isOn("l") ? long : name}\n`);
  }
}
