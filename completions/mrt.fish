# Completion of mrt for fish: put this file into ~/.config/fish/completions.

function __mrt_complete
    set -l command (commandline -opc)[1]
    set -l line (commandline -cp | string collect)
    set -l replies (env COMP_LINE="$line" _MRT_COMPLETE=fish_complete (string replace -r '^~/' "$HOME/" -- $command) 2> /dev/null)
    set -q replies[1]; or return
    string replace --filter --regex '^(plain|part),' '' -- $replies
    # The shell's own names of files: it knows what ~, $HOME and an open quote are.
    set -l paths "'' "(commandline -ct | string collect)
    if string match --quiet 'file,*' -- $replies
        complete --do-complete $paths
    else if string match --quiet 'dir,*' -- $replies
        complete --do-complete $paths | string match --regex '.*/$'
    end
end

complete --command mrt --no-files --keep-order --arguments '(__mrt_complete)'
