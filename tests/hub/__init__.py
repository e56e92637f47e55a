"""A stand-in for the Hugging Face Hub: a real HTTP server on loopback, in a process of its own.

It answers what the real `huggingface_hub`, `hf_xet` and `datasets` ask when they publish and load a dataset,
keeps what it is given in a folder, so that it survives a restart, writes down every request, and can be told
to fail.

    python -m hub FOLDER [--port N] [--xet] [--page-size N]     # prints its address on one line

    store.py     repositories: commits, branches, tags; renamed into place, one by one
    xet.py       files that came in pieces by Xet's local scheme
    reading.py   answers to those who look, list and download
    writing.py   answers to those who upload, commit and tag
    faults.py    what shall fail at which request, and the log
    server.py    from a request to its answer
    process.py   how tests and the demo start it
    worker.py    where tests run programs against it
    looks.py     what it holds, read from its folder
"""
