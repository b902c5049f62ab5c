import { normalize } from "node:path/posix";
import { importsOf } from "../imports.ts";
import { OUTSIDE, ROOMS, RUNTIME, TEST_PACKAGES, type Room, findRoom } from "../rooms.ts";
import { type Rule, type Violation, eachFile } from "../rule.ts";
import { type SourceFile, isBrowser, isForTests, isTypeScript, roomOf } from "../source-file.ts";

/** Rooms see only the rooms they may, through doors only, and only the packages they may. */
export const wallsRule: Rule = {
  name: "walls",
  check: (files) =>
    eachFile(
      files.filter((file) => isTypeScript(file) && !isBrowser(file)),
      checkFile,
    ),
};

function checkFile(file: SourceFile): Violation[] {
  const name = roomOf(file.path);
  if (name === undefined || OUTSIDE.includes(name)) return [];
  const room = findRoom(name);
  if (room === undefined) {
    const message = `room ${name} stands in no floor: add it to tools/tidy/rooms.ts`;
    return [{ path: file.path, line: 0, message }];
  }
  const violations: Violation[] = [];
  for (const { specifier, line } of importsOf(file)) {
    const message = problemOf(specifier, room, file);
    if (message !== undefined) violations.push({ path: file.path, line, message });
  }
  return violations;
}

function problemOf(specifier: string, room: Room, file: SourceFile): string | undefined {
  if (specifier.startsWith(".")) return problemOfRelative(specifier, room, file);
  if (RUNTIME.test(specifier)) return undefined;
  if (specifier.startsWith("@kelp/")) return problemOfRoom(specifier, room, file);
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (room.thirdParty.includes(name) || (isForTests(file) && TEST_PACKAGES.includes(name))) {
    return undefined;
  }
  return `${room.name} may not use ${name}: a dependency needs a decision record and a place in tools/tidy/rooms.ts`;
}

/** The manifest of the whole is the one file that belongs to nobody. */
function problemOfRelative(specifier: string, room: Room, file: SourceFile): string | undefined {
  const target = normalize(`${file.path}/../${specifier}`);
  if (roomOf(target) === room.name || target === "package.json") return undefined;
  return `${specifier} leaves the room: import the other room's door (@kelp/…)`;
}

function problemOfRoom(specifier: string, room: Room, file: SourceFile): string | undefined {
  const [, name = "", door = ""] = specifier.split("/");
  if (door === "testing" && !isForTests(file)) {
    return `${specifier} is for tests: product code takes ports as parameters`;
  }
  if (name === room.name) {
    if (isForTests(file)) return undefined;
    return `${specifier} is this room's own door: import the file itself`;
  }
  const other = ROOMS.find((candidate) => candidate.name === name);
  if (other === undefined) return `there is no room ${name}`;
  if (isForTests(file)) return undefined;
  if (specifier === "@kelp/base/platform" && !file.path.startsWith("services/")) {
    return "only services/ make real clocks, disks and databases: take the port as a parameter";
  }
  if (other.floor < room.floor || room.neighbours.includes(name)) return undefined;
  if (other.floor > room.floor) {
    return `${room.name} may not see ${name}, which is above it: declare a port in @kelp/wire`;
  }
  if (door === "client") return undefined;
  return `${room.name} sees ${name} only through @kelp/${name}/client, or a port in @kelp/wire`;
}
