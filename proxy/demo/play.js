// Only in the demo: break a pretend vendor, and watch what the sidecar makes of it.

const DEEDS = [["cut", "Cut"], ["slow", "Slow"], [null, "Restore"]];

class Playground {
  constructor() {
    this.panel = byId("extension");
    this.vendors = new Map();
    this.said = h("span", { class: "small", role: "status" });
    this.panel.append(h("h2", {}, "This is a demo: break a vendor, and watch"));
    this.rotate = h("button", { type: "button", onclick: () => this.do("/v1/demo/certificate", {}, "Another client certificate is mounted") }, "Rotate the certificate");
  }

  async look() {
    const { vendors } = await (await fetch("/v1/demo")).json();
    if (!this.vendors.size) this.lay(Object.keys(vendors));
    for (const [name, fault] of Object.entries(vendors)) {
      for (const [deed, button] of this.vendors.get(name)) {
        if (deed === null) button.disabled = fault === null;
        else setAttribute(button, "aria-pressed", String(fault === deed));
      }
    }
    this.panel.hidden = false;
  }

  lay(names) {
    for (const name of names) {
      const buttons = new Map(DEEDS.map(([deed, words]) => {
        const told = deed === null ? `${name} is restored` : `${name} is ${deed === "cut" ? "cut off" : "slow"} now`;
        const button = h("button", { type: "button", onclick: () => this.do(`/v1/demo/vendors/${name}`, { fault: deed }, told) }, words);
        setAttribute(button, "aria-label", `${words} ${name}`);
        return [deed, button];
      }));
      this.vendors.set(name, buttons);
      this.panel.append(h("div", { class: "vendor" }, h("b", {}, name), ...buttons.values()));
    }
    this.panel.append(this.rotate, this.said);
  }

  async do(path, content, words) {
    try {
      await post(path, content);
      setText(this.said, words);
    } catch (error) {
      setText(this.said, `It was not done: ${error.message}`);
    }
    await this.look();
    askNow();
  }
}

new Playground().look();
