# Completion of leat for bash: commands and options as its --help lists them; job types and ids as the server does, if it answers within a
# second. `make install` puts it where bash-completion finds it; without that: source it.

# What follows a name at the beginning of a line of help.
_leat_names() {
	sed -nE "s/^  ($1).*/\\1/p"
}

# Whether the option takes a value: in capitals behind it.
_leat_takes_value() {
	grep -qE "^  $1 [A-Z]"
}

# The first column of a table of the server, without its head.
_leat_ask() {
	timeout 1 "$@" 2>/dev/null </dev/null | sed -nE '2,$s/^([^ ]+).*/\1/p'
}

# What stands at a place of the usage line, `Usage: leat run JOB [PAYLOAD|-] [OPTION]...`; its last word may stand for many.
_leat_expected() {
	local place=$1 usage word last='' at=0

	read -r usage
	for word in ${usage#Usage: leat * }; do
		[[ $word != '[OPTION]...' ]] || break
		last=$word
		((at++ < place)) || break
	done
	((at > place)) || [[ $last == *... ]] || return 0
	printf '%s' "$last"
}

_leat() {
	local line=${COMP_LINE:0:COMP_POINT} leat=${1:-leat} command='' option='' current='' help common word
	local -a words=() server=()
	local -i place=0

	COMPREPLY=()
	read -ra words <<<"$line"
	if [[ $line != *[[:space:]] ]]; then
		current=${words[-1]}
		unset 'words[-1]'
	fi
	common=$(timeout 1 "$leat" --help 2>/dev/null) || return
	for word in "${words[@]:1}"; do
		if [[ $option ]]; then
			# How to reach the server is also for those who ask it here.
			[[ $option == --@(server|token-file|ca) ]] && server+=("$option" "$word")
			option=''
		elif [[ $word == --* ]]; then
			[[ $word == --@(server|token-file|ca)=* ]] && server+=("$word")
			! _leat_takes_value "$word" <<<"$common" || option=$word
		elif [[ -z $command ]]; then
			command=$word
		else
			place+=1
		fi
	done

	help=$common
	[[ -z $command ]] || help=$(timeout 1 "$leat" "$command" --help 2>/dev/null) || return
	if [[ $option == --@(token-file|ca) ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
	elif [[ $option ]]; then
		return
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_leat_names '--[a-z-]+' <<<"$help")" -- "$current")
	elif [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_leat_names '[a-z]+' <<<"$help")" -- "$current")
	else
		case $(_leat_expected "$place" <<<"$help") in
		*JOB*) mapfile -t COMPREPLY < <(compgen -W "$(_leat_ask "$leat" "${server[@]}" jobs)" -- "$current") ;;
		*ID*) mapfile -t COMPREPLY < <(compgen -W "$(_leat_ask "$leat" "${server[@]}" ps)" -- "$current") ;;
		esac
	fi
}

complete -F _leat leat
