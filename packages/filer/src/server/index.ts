/** The HTTP interface of a filer: files and folders by path. */
export { type FilerDoorOptions, openFilerDoor } from "./filer-door.ts";
