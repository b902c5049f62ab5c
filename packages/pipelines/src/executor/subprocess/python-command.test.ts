import { expect, test } from "bun:test";
import { parsePythonCommand, shellWords } from "./python-command.ts";

const LAYER = `
if ! [ -x "$(command -v pip)" ]; then
    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip
fi

PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location 'kfp==2.15.2' '--no-deps' 'typing-extensions>=3.7.4,<5; python_version<"3.9"'`;
const INNER = ["sh", "-ec", "run it", "source"];

test("the installing layer is taken off and its requirements are read", () => {
  const script = `${LAYER}  &&  python3 -m pip install --quiet --no-warn-script-location --index-url https://x/simple 'pandas>=2,<3' && "$0" "$@"\n`;
  expect(parsePythonCommand(["sh", "-c", script, ...INNER])).toEqual({
    requirements: [
      "kfp==2.15.2",
      'typing-extensions>=3.7.4,<5; python_version<"3.9"',
      "pandas>=2,<3",
    ],
    pipOptions: ["--index-url", "https://x/simple"],
    command: INNER,
  });
});

test("anything else runs as it is written", () => {
  expect(parsePythonCommand(["sh", "-c", "echo hello"])).toBeUndefined();
  expect(parsePythonCommand(["sh", "-c", `pip install x; echo "$0" "$@"`, "y"])).toBeUndefined();
  expect(
    parsePythonCommand([
      "sh",
      "-c",
      `python3 -m venv v && python3 -m pip install x && "$0" "$@"`,
      "y",
    ]),
  ).toBeUndefined();
  expect(
    parsePythonCommand(["sh", "-c", `${LAYER} $(cat more) && "$0" "$@"`, "y"]),
  ).toBeUndefined();
});

test("words are split as a shell does, and what needs a shell is refused", () => {
  expect(shellWords(`a 'b c' "d \\"e" f\\ g`)).toEqual(["a", "b c", 'd "e', "f g"]);
  expect(shellWords("a $B")).toBeUndefined();
  expect(shellWords("a 'open")).toBeUndefined();
});
