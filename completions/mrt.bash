# Completion of mrt for bash: source this file, or put it where bash-completion finds it.

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
