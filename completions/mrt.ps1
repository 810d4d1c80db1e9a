# Completion of mrt for PowerShell: add `mrt completion powershell | Out-String | Invoke-Expression` to $PROFILE.

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
