import DOMPurify from "dompurify";
import { marked } from "marked";

/**
 * Markdown to HTML that may stand in this page. The text is hostile: what remains are formatting elements, links that
 * open apart, and images that are part of the text itself, so that reading it asks no other host for anything.
 */
export function safeMarkdown(text: string): string {
  const html = marked.parse(text, { async: false, gfm: true });
  const body = DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: [
      "style",
      "form",
      "input",
      "button",
      "textarea",
      "select",
      "iframe",
      "video",
      "audio",
    ],
    FORBID_ATTR: ["style", "srcset", "id", "name", "class"],
    RETURN_DOM: true,
  });
  if (!(body instanceof HTMLElement)) return "";
  for (const image of body.querySelectorAll("img")) {
    if (!(image.getAttribute("src") ?? "").startsWith("data:image/")) image.removeAttribute("src");
  }
  for (const link of body.querySelectorAll("a")) {
    const isWeb = /^https?:\/\//i.test(link.getAttribute("href") ?? "");
    if (!isWeb) link.removeAttribute("href");
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  return body.innerHTML;
}
