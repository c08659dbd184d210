/* Pictures: made small before they are sent, shown beside the words, and looked at large. */
(() => {
  "use strict";
  const LONGEST = 1600;
  const QUALITY = 0.82;
  const $ = (selector, inside = document) => inside.querySelector(selector);

  /* --- choosing --------------------------------------------------------------------------- */
  // What the field holds is what is sent, also where the rest of the script is not there.
  const held = new WeakMap(); // field → [{ file, view }]
  const working = new WeakMap(); // form → promise

  window.picturesReady = (form) => working.get(form);

  async function smaller(file) {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    // A drawing may be smaller as it was; what a browser cannot draw goes as it is.
    const small = blob && (blob.size < file.size || file.type !== "image/jpeg");
    return { file: small ? new File([blob], "picture.jpg", { type: "image/jpeg" }) : file, view: canvas };
  }

  function put(field, pictures) {
    held.set(field, pictures);
    const files = new DataTransfer();
    for (const one of pictures) files.items.add(one.file);
    field.files = files.files;
    draw(field);
  }

  function draw(field) {
    const box = field.closest("[data-choose-pictures]");
    const pictures = held.get(field) || [];
    $("[data-not-kept]", box).hidden = !pictures.length;
    const list = document.createElement("ul");
    list.className = "pictures";
    list.setAttribute("aria-label", box.dataset.named);
    pictures.forEach((one, n) => {
      const item = document.createElement("li");
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "btn";
      remove.textContent = box.dataset.remove;
      remove.setAttribute("aria-label", `${box.dataset.remove} ${n + 1}`);
      remove.addEventListener("click", () => {
        put(field, pictures.filter((other) => other !== one));
        ($(`li:nth-child(${Math.min(n + 1, pictures.length - 1)}) button`, box) || field).focus();
        say(box, "");
      });
      one.view.setAttribute("role", "img");
      one.view.setAttribute("aria-label", `${n + 1} / ${pictures.length}`);
      item.append(one.view, remove);
      list.append(item);
    });
    $("[data-chosen]", box).replaceChildren(...(pictures.length ? [list] : []));
  }

  function say(box, text) {
    let line = $(".field-error", box);
    if (!line) {
      line = document.createElement("p");
      line.className = "field-error";
      line.setAttribute("role", "alert");
      box.append(line);
    }
    line.textContent = text;
  }

  async function choose(field) {
    const box = field.closest("[data-choose-pictures]");
    const before = held.get(field) || [];
    const most = Number(box.dataset.most);
    const chosen = [...field.files];
    say(box, "");
    const pictures = [...before];
    for (const file of chosen) {
      if (pictures.length >= most) {
        say(box, box.dataset.tooMany);
        break;
      }
      try {
        pictures.push(await smaller(file));
      } catch {
        say(box, `${file.name} ${box.dataset.unreadable}`);
      }
    }
    put(field, pictures);
  }

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-choose-pictures] input[type=file]")) return;
    working.set(target.form, choose(target));
  });
  document.addEventListener("reset", ({ target }) => {
    const field = $("[data-choose-pictures] input[type=file]", target);
    if (!field) return;
    held.delete(field);
    draw(field);
    say(field.closest("[data-choose-pictures]"), "");
  });

  /* --- looking ---------------------------------------------------------------------------- */
  // Without script the link opens the picture by itself.
  let shown = null;
  let from = null;

  function look(link) {
    if (!shown) {
      shown = document.createElement("dialog");
      shown.className = "picture-large";
      shown.append(document.createElement("img"));
      document.body.append(shown);
      shown.addEventListener("click", () => shown.close());
      shown.addEventListener("close", () => from?.focus());
      shown.addEventListener("keydown", (e) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
        if (!step) return;
        const all = [...from.closest("[data-pictures]").querySelectorAll("a")];
        show(all[(all.indexOf(from) + step + all.length) % all.length]);
      });
    }
    show(link);
    shown.showModal();
  }
  function show(link) {
    from = link;
    const small = $("img", link);
    const large = $("img", shown);
    large.src = link.href;
    large.alt = small.alt;
    shown.setAttribute("aria-label", small.alt);
  }
  document.addEventListener("click", (e) => {
    const link = e.target.closest?.("[data-pictures] a");
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || !window.HTMLDialogElement) return;
    e.preventDefault();
    look(link);
  });
})();
