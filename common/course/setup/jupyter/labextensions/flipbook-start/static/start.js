// The course's start page as a tab of JupyterLab, and a button at the top that leads back to it. A check cell's run tells
// the kernel what is on the screen.
//
// JupyterLab loads extensions as webpack module-federation containers: an object with `init` and `get` under
// window._JUPYTERLAB. This one is small enough to be written by hand, so the course needs no JavaScript build.
(() => {
  'use strict';

  const NAME = 'flipbook-start';
  const REFRESH_SECONDS = 4; // how long a check that passed in another program may take to show here
  let shared;

  async function load(module) {
    const versions = shared[module];
    const factory = await versions[Object.keys(versions)[0]].get();
    return factory();
  }

  function baseUrl() {
    return JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl;
  }

  function cookie(name) {
    return document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1] ?? '';
  }

  function ownCopy(path) {
    const [, kind, phase, name] = path.match(/^(labs|phases)\/(\d\d_[^/]+)\/(\d\d_[^/]+\.ipynb)$/) ?? [];
    return kind && `work/${phase}/${kind === 'phases' ? 'tutorials/' : ''}${name}`;
  }

  // What a learner types into labs/ or phases/ would be in the way of an update: lead to their own copy.
  function openOwnCopies(documents) {
    for (const way of ['open', 'openOrReveal']) {
      const open = documents[way].bind(documents);
      documents[way] = (path, ...rest) => open(ownCopy(path) ?? path, ...rest);
    }
  }

  // A check judges what was run. Just before it runs, the kernel is told what the exercise's cell holds on the screen, so
  // that it can say when the two differ.
  function tellWhatIsOnScreen(NotebookActions, notebooks) {
    const about = cell => cell.model.getMetadata('flipbook') ?? {};
    NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
      const name = about(cell).check;
      const exercise = name && notebook.widgets.find(other => about(other).exercise === name);
      const kernel = notebooks.find(panel => panel.content === notebook)?.sessionContext.session?.kernel;
      if (!exercise || !kernel) return;
      const words = [name, exercise.model.sharedModel.getSource()].map(text => JSON.stringify(text)).join(', ');
      const code = `__import__("importlib").import_module("common.course.checking.screen").shown(${words})`;
      kernel.requestExecute({ code, silent: true, store_history: false, allow_stdin: false, stop_on_error: false });
    });
  }

  function makePage(Widget, app) {
    const page = new Widget();
    page.id = 'flipbook-start-page';
    page.title.label = 'Start';
    page.title.caption = 'Flipbook: where you are, what comes next';
    page.title.closable = true;
    page.addClass('flipbook-start-page');
    page.node.tabIndex = 0;
    let version = null;

    async function refresh() {
      try {
        const answer = await fetch(`${baseUrl()}flipbook/start`, {
          cache: 'no-store', headers: version ? { 'If-None-Match': version } : {},
        });
        if (answer.status === 304) return;
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        version = answer.headers.get('Etag');
        show(await answer.text());
      } catch (error) {
        if (!version) page.node.textContent = `The start page could not be drawn: ${error.message}`;
      }
    }

    // Sections that the reader opened or closed stay so when the numbers change under them.
    function show(html) {
      const sections = () => page.node.querySelectorAll('details[id]');
      const open = new Map([...sections()].map(section => [section.id, section.open]));
      const top = page.node.scrollTop;
      page.node.innerHTML = html;
      for (const section of sections()) if (open.has(section.id)) section.open = open.get(section.id);
      page.node.scrollTop = top;
    }

    async function tick(box) {
      await fetch(`${baseUrl()}flipbook/tick`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-XSRFToken': cookie('_xsrf') },
        body: JSON.stringify({ item: box.dataset.tick, done: box.checked }),
      });
      await refresh();
    }

    async function open(link) {
      const path = link.dataset.open;
      const factory = path.endsWith('.md') ? 'Markdown Preview' : undefined;
      await app.commands.execute('docmanager:open', { path, factory });
    }

    page.node.addEventListener('click', event => {
      const link = event.target.closest('a[data-open]');
      if (!link || event.ctrlKey || event.metaKey) return; // Ctrl-click: a browser tab of its own, by the link's address
      event.preventDefault();
      void open(link);
    });
    page.node.addEventListener('change', event => {
      if (event.target.dataset.tick) void tick(event.target);
    });
    page.onActivateRequest = () => page.node.focus(); // JupyterLab takes the tab with the focus for the current one
    page.onAfterShow = () => void refresh();
    const visible = () => page.isVisible && !document.hidden;
    const timer = setInterval(() => { if (visible()) void refresh(); }, REFRESH_SECONDS * 1000);
    page.disposed.connect(() => clearInterval(timer));
    void refresh();
    return page;
  }

  function activate(Widget, app, documents) {
    let page = null;
    openOwnCopies(documents);

    function show(activateIt) {
      if (!page || page.isDisposed) page = makePage(Widget, app);
      if (!page.isAttached) app.shell.add(page, 'main', { rank: 0, activate: activateIt });
      if (activateIt) app.shell.activateById(page.id);
    }

    app.commands.addCommand('flipbook:start', {
      label: 'Flipbook: start page',
      caption: 'Where you are, what comes next',
      execute: () => show(true),
    });

    const button = new Widget();
    button.id = 'flipbook-start-button';
    const inner = document.createElement('button');
    inner.className = 'flipbook-start-button';
    inner.textContent = 'Start page';
    inner.title = 'Flipbook: where you are, what comes next';
    inner.addEventListener('click', () => show(true));
    button.node.append(inner);
    app.shell.add(button, 'top', { rank: 500 });

    // An address such as /lab/tree/work/... asks for a file: then the page waits in its tab behind it.
    const asksForFile = /\/tree\//.test(window.location.pathname);
    void app.restored.then(() => show(!asksForFile));
  }

  const container = {
    init: async scope => { shared = scope; },
    get: async () => {
      const { Widget } = await load('@lumino/widgets');
      const { IDocumentManager } = await load('@jupyterlab/docmanager');
      const { INotebookTracker, NotebookActions } = await load('@jupyterlab/notebook');
      const plugin = {
        id: `${NAME}:plugin`,
        description: 'Adds the course\'s start page.',
        autoStart: true,
        requires: [IDocumentManager, INotebookTracker],
        activate: (app, documents, notebooks) => {
          tellWhatIsOnScreen(NotebookActions, notebooks);
          activate(Widget, app, documents);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
  (window._JUPYTERLAB ??= {})[NAME] = container;
})();
