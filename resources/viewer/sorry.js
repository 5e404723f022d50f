// @ts-check
// What is said where page.js, which says everything else, did not come.

export function saySorry() {
  const write = (/** @type {string} */ id, /** @type {string} */ text) => {
    const element = document.getElementById(id);
    if (element !== null) element.textContent = text;
  };
  document.getElementById("message")?.classList.add("halted");
  write("title", "This page could not be loaded");
  write("text", "A part of it did not come from the server. Check your connection and load it again: no view of the share is used up.");
  const again = document.getElementById("again");
  if (again === null) return;
  again.hidden = false;
  again.addEventListener("click", () => location.reload());
}
