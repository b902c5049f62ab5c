import { sandboxedDocument } from "./sandboxed-document.ts";
import { WithText } from "./with-text.tsx";

/** A stored page in a frame without scripts, forms, origin or network. */
export function HtmlPreview(props: { readonly address: string }) {
  return (
    <WithText
      address={props.address}
      render={(text) => (
        <iframe
          title="Preview of the page, without scripts"
          sandbox=""
          srcDoc={sandboxedDocument(text)}
          referrerPolicy="no-referrer"
          style={{ width: "100%", height: "60vh", border: 0, background: "#fff", display: "block" }}
        />
      )}
    />
  );
}
