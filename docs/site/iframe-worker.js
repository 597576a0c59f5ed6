// A browser refuses workers to a page that opens from a folder. Run the search in a frame instead.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      document.body.append(frame);
      this.inside = new Promise((ready) => (frame.onload = () => ready(frame.contentWindow)));
      frame.contentDocument.write(
        "<script>postMessage = (data) => frameElement.answer(data)<\/script>" +
          `<script src="${url}"><\/script>`
      );
      frame.contentDocument.close();
    }
    postMessage(data) {
      this.inside.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
