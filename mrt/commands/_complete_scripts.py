"""The script that each shell reads: it asks mrt itself at every TAB, so it never goes out of date."""

from __future__ import annotations

BASH = r"""# Completion of mrt for bash: source this file, or put it where bash-completion finds it.

_mrt_completion() {
    local command=$1 line=${COMP_LINE:0:COMP_POINT} type value
    [[ $command == "~/"* ]] && command=$HOME${command:1}
    type -P -- "$command" > /dev/null || command=mrt  # an alias of it
    [[ -n $line ]] || line="${COMP_WORDS[*]:0:COMP_CWORD+1}"
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            part) COMPREPLY+=("$value"); compopt -o nospace ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(env COMP_LINE="$line" COMP_WORDBREAKS="${COMP_WORDBREAKS-}" _MRT_COMPLETE=bash_complete "$command") 2> /dev/null
}

complete -o nosort -F _mrt_completion mrt 2> /dev/null || complete -F _mrt_completion mrt
"""

ZSH = r"""#compdef mrt
# Completion of mrt for zsh: put this file into a folder of $fpath under the name _mrt.

_mrt() {
    local command=${words[1]/#\~\//${HOME-}/} line files=""
    local -a plain part
    whence -p -- "$command" > /dev/null || command=mrt  # an alias of it
    for line in "${(@f)$(env COMP_WORDS="${(j: :)words[1,CURRENT-1]}" COMP_CUR="$PREFIX" \
        _MRT_COMPLETE=zsh_complete "$command" 2> /dev/null)}"; do
        case $line in
            plain,*) plain+=("${line#*,}") ;;
            part,*) part+=("${line#*,}") ;;
            file,* | dir,*) files=${line%%,*} ;;
        esac
    done
    (( $#plain )) && _describe -V mrt plain -U
    (( $#part )) && _describe -V mrt part -U -S ''
    [[ -n $files && $PREFIX == --*=* ]] && compset -P '*='
    [[ $files == file ]] && _files
    [[ $files == dir ]] && _files -/
    (( $#plain + $#part )) || [[ -n $files ]]
}

if [[ $funcstack[1] == _mrt ]]; then
    _mrt "$@"  # loaded by its name from $fpath
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _mrt mrt
fi
"""

FISH = r"""# Completion of mrt for fish: put this file into ~/.config/fish/completions.

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
"""

POWERSHELL = r"""# Completion of mrt for PowerShell: add `mrt completion powershell | Out-String | Invoke-Expression` to $PROFILE.

Register-ArgumentCompleter -Native -CommandName mrt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $command = $commandAst.GetCommandName()
    $length = [Math]::Max(0, $cursorPosition - $commandAst.Extent.StartOffset)
    $before = @{ COMP_LINE = $env:COMP_LINE; _MRT_COMPLETE = $env:_MRT_COMPLETE }
    try {
        $env:COMP_LINE = $commandAst.ToString().PadRight($length, ' ').Substring(0, $length)
        $env:_MRT_COMPLETE = 'powershell_complete'
        $lines = @(& $command 2>$null)
    } finally {
        $env:COMP_LINE = $before.COMP_LINE
        $env:_MRT_COMPLETE = $before._MRT_COMPLETE
    }
    # Without an offer PowerShell completes the names of files by itself.
    foreach ($line in $lines) {
        $type, $value, $about = $line -split "`t", 3
        if ($type -eq 'plain' -or $type -eq 'part') {
            $text = if ($value -match '[,@]') { "'$value'" } else { $value }
            [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $about)
        }
    }
}
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}
# The files in completions/, under the names by which the shells find them.
FILES = {"bash": "mrt.bash", "zsh": "_mrt", "fish": "mrt.fish", "powershell": "mrt.ps1"}
